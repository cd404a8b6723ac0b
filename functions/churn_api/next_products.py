"""What to show a customer next, from the products of the order lines in the request and a small model of the shop's
products. Nothing of it is loaded before the first request that names a product.

The method is that of `flows/baskets/methods.py` without customers alike: a test holds both to the same order. The file
is written by each run, next to `champion.json`; see `flows/baskets/served_model.py`."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, tzinfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from functions.churn_api.champion import Models
from functions.churn_api.order_history import Order, sales_and_returns
from functions.churn_api.predictions import NextProduct, NextProducts, PredictionRequest, PredictionResponse, as_json

log = logging.getLogger(__name__)

FILE = "next_products.json"
SHOWN = 5
READ_AGAIN_AFTER_SECONDS = 60.0
Floats = NDArray[np.float64]


class Method(msgspec.Struct, frozen=True):
    """As in `flows/baskets/methods.py`. `gaps_to_trust`: of a customer's own against the product's."""

    name: str
    own: float
    co_purchase: float
    popularity: float
    half_life_days: float | None
    due: float
    gaps_to_trust: float


class ProductModel(msgspec.Struct, frozen=True):
    """What a shop's purchases say of its products, as known at the end of `as_of`. Of each product, in the order of
    `skus`: its name, whether it is sold, whether people buy it again, the usual days until they do, and its popularity,
    0 to 1, where everybody may be shown it. `near`, `nearness`: of each product, those that are bought with it."""

    as_of: date
    method: Method
    bought_once_for_days: int
    skus: list[str]
    names: dict[str, str]
    is_sold: list[bool]
    is_rebought: list[bool]
    gap_days: list[float | None]
    popularity: list[float]
    near: list[list[int]]
    nearness: list[list[float]]


class Shelf:
    """A model that ranks."""

    def __init__(self, model: ProductModel) -> None:
        self.model = model
        self.place = {sku: n for n, sku in enumerate(model.skus)}
        self._sold = np.array(model.is_sold, dtype=bool)
        self._popularity = np.array(model.popularity, dtype=float)
        self._near = [np.array(near, dtype=np.int64) for near in model.near]
        self._nearness = [np.array(nearness, dtype=float) for nearness in model.nearness]

    def rank(self, bought: Mapping[str, Sequence[date]], as_of: date) -> NextProducts | None:
        """bought: the days on which each product was bought and kept, each once. None: nothing is known to be sold."""
        model, method, n = self.model, self.model.method, len(self.model.skus)
        known = [(self.place[sku], sorted(days)) for sku, days in bought.items() if sku in self.place]
        own, together, hidden = np.zeros(n), np.zeros(n), np.zeros(n, dtype=bool)
        for place, days in known:
            own[place] = self._weight(place, [(as_of - day).days for day in days])
            silent = (as_of - days[-1]).days
            hidden[place] = not model.is_rebought[place] and silent < model.bought_once_for_days
        own = _scaled(own)
        if method.co_purchase:
            for place, _ in known:
                together[self._near[place]] += own[place] * self._nearness[place]
            together = _scaled(together)
        of_own = method.own * own * self._sold
        score = np.where(hidden, 0.0, of_own + method.co_purchase * together + self._popularity)
        best = [int(place) for place in np.argsort(-score, kind="stable")[:SHOWN] if score[place] > 0]
        if not best:
            return None
        shown = [
            NextProduct(
                model.skus[place],
                model.names.get(model.skus[place]),
                "own_habit"
                if of_own[place] > 0 and of_own[place] >= method.co_purchase * together[place]
                else "goes_with_own"
                if together[place] > 0
                else "popular",
            )
            for place in best
        ]
        return NextProducts(shown, method.name, str(model.as_of))

    def _weight(self, place: int, ages: Sequence[int]) -> float:
        """ages: of purchases, in days, the oldest first."""
        method, usual = self.model.method, self.model.gap_days[place]
        half_life = method.half_life_days
        weight = float(len(ages)) if half_life is None else sum(0.5 ** (age / half_life) for age in ages)
        if method.due and usual is not None:
            gap = (ages[0] - ages[-1] + method.gaps_to_trust * usual) / (len(ages) - 1 + method.gaps_to_trust)
            weight *= min(max(ages[-1] / max(gap, 1.0), 0.02), 1.0) ** method.due
        return weight


def _scaled(values: Floats) -> Floats:
    greatest = values.max(initial=0.0)
    return values / greatest if greatest > 0 else values


def bought_and_kept(orders: Sequence[Order], as_of: date, time_zone: tzinfo) -> dict[str, list[date]]:
    """The days on which each product was bought; without products that were sent back in whole."""
    sales, returns = sales_and_returns(orders, as_of, time_zone)
    kept: dict[str, int] = {}
    days: dict[str, set[date]] = {}
    for lines, sign in ((sales, 1), (returns, -1)):
        for line in lines:
            if line.sku is not None:
                kept[line.sku] = kept.get(line.sku, 0) + sign * line.cents
                if sign > 0:
                    days.setdefault(line.sku, set()).add(line.at.date())
    return {sku: sorted(of) for sku, of in days.items() if kept[sku] > 0}


@dataclass
class ServedProducts:
    """The model of the first of `places` that has one; read again when it is a minute old. None where there is none, or
    it cannot be read: a prediction is worth giving without it."""

    places: Sequence[Models]
    monotonic: Callable[[], float] = time.monotonic
    _shelf: Shelf | None = None
    _content: bytes = b""
    _read_at: float = field(default=-float("inf"))

    def add(
        self, to_score: PredictionRequest, responses: Sequence[PredictionResponse], time_zone: tzinfo
    ) -> list[bytes]:
        """Sets `next_products` of those whose histories name products; the responses as a JSON list."""
        if shelf := self.shelf():
            for position, orders in (to_score.histories or {}).items():
                as_of = to_score.as_of[position]
                found = shelf.rank(bought_and_kept(orders, as_of, time_zone), as_of)
                if found is not None:
                    responses[position].next_products = found
        return as_json(responses, len(responses))

    def shelf(self) -> Shelf | None:
        if self.monotonic() - self._read_at >= READ_AGAIN_AFTER_SECONDS:
            self._read_at = self.monotonic()
            self._read()
        return self._shelf

    def _read(self) -> None:
        try:
            content = next(filter(None, map(_content_of, self.places)), b"")
            if content != self._content:
                model = msgspec.json.decode(content, type=ProductModel) if content else None
                self._shelf = Shelf(model) if model and model.skus else None
                self._content = content
        except (OSError, msgspec.MsgspecError) as problem:
            log.error("the model of products cannot be read", extra={"problem": str(problem)})


def _content_of(place: Models) -> bytes:
    try:
        return place.read(FILE)
    except FileNotFoundError:
        return b""
