"""The predictions of each customer, as the API returns them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from itertools import chain, islice, repeat
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from functions.churn_api.contract import CAUSE_NAMES, risk_bands
from functions.churn_api.scorer import VALUES, Scorer, day_of_year
from functions.predicted import NEXT_ORDER_FIELDS, REASONS

if TYPE_CHECKING:
    from functions.churn_api.order_history import Order

Source = Literal["api", "external_function"]

T = TypeVar("T")


@dataclass(frozen=True)
class PredictionRequest:
    """n customers to score, each as known at the end of a day.

    `features`: [n, number of features], in the contract's order, NaN where missing.
    `customer_ids`: None where no id is given: the response is not stored.
    `marks`: what distinguishes two requests that are otherwise the same.
    `histories`: the order lines of customers whose lines name products, by position.
    """

    customer_ids: Sequence[str | None]
    as_of: Sequence[date]
    features: NDArray[np.float64]
    source: Source = "api"
    marks: Sequence[str] | None = None
    histories: Mapping[int, Sequence["Order"]] | None = None

    def __len__(self) -> int:
        return len(self.customer_ids)

    def parts(self, size: int) -> Iterator["PredictionRequest"]:
        """The same customers in requests of at most `size`."""
        for start in range(0, len(self), size):
            part = slice(start, start + size)
            marks = self.marks[part] if self.marks else None
            yield PredictionRequest(self.customer_ids[part], self.as_of[part], self.features[part], self.source, marks)


class Reason(msgspec.Struct, gc=False):
    cause: str
    text: str
    effect: float


class NextOrderDays(msgspec.Struct, gc=False):
    """NaN, which is null in JSON: not within two horizons."""

    chance_10: float
    chance_50: float
    chance_90: float
    if_back: float


class NextProduct(msgspec.Struct, gc=False):
    sku: str
    name: str | None
    because: str


class NextProducts(msgspec.Struct, gc=False):
    products: Sequence[NextProduct]
    method: str
    known_until: str


class PredictionResponse(msgspec.Struct, gc=False):
    """The response for one customer; `documents.Prediction` describes it. NaN, which is null in JSON: not known.
    `next_products` is not stored, and left out of JSON where it is not set."""

    customer_id: str | None
    prediction_id: str
    as_of: str
    churn_probability: float
    risk_band: str
    expected_spend: float
    alive_probability: float
    lifecycle: str
    clv: float
    clv_low: float
    clv_high: float
    expected_loss: float
    win_back_value: float
    next_order_days: NextOrderDays
    reasons: Sequence[Reason]
    horizon_days: int
    clv_days: int
    model_version: str
    stored: bool
    next_products: NextProducts | msgspec.UnsetType = msgspec.UNSET


COLUMNS = (
    "customer_id", "prediction_id", "as_of", "churn_probability", "risk_band", "expected_spend", "alive_probability",
    "lifecycle", *VALUES, *NEXT_ORDER_FIELDS.values(),
    *(f"reason_{rank}" for rank in range(1, REASONS + 1)), "horizon_days", "clv_days", "model_version", "stored",
)  # fmt: skip


def flat(response: PredictionResponse) -> dict[str, Any]:
    """A response under the names of `COLUMNS`, as SQL has them too; None where there is no value."""
    days = {field: getattr(response.next_order_days, name) for name, field in NEXT_ORDER_FIELDS.items()}
    reasons = {f"reason_{rank}": reason.text for rank, reason in enumerate(response.reasons, start=1)}
    nested = days | reasons
    values = ((name, nested[name] if name in nested else getattr(response, name)) for name in COLUMNS)
    return {name: None if value != value else value for name, value in values}


def predict(scorer: Scorer, requests: Sequence[PredictionRequest]) -> list[list[PredictionResponse]]:
    """The responses to several batches, from one run of the model; `stored` for those with a customer id.

    The same request always gets the same id, so a repeated one is stored once.
    """
    features = (
        requests[0].features if len(requests) == 1 else np.concatenate([to_score.features for to_score in requests])
    )
    features = np.add(features, 0.0, order="C")  # -0.0 is the same request as 0.0
    customer_ids = list(chain.from_iterable(to_score.customer_ids for to_score in requests))
    as_of = list(chain.from_iterable(to_score.as_of for to_score in requests))
    days = _of_days(_day_text, as_of)
    scores = scorer.score(features, np.array(_of_days(day_of_year, as_of), dtype=np.int64))
    by_rank = map(map, repeat(Reason), _columns(_CAUSES[scores.causes]), scores.reasons, _columns(scores.effects))
    # by columns: a loop over the rows would take several times as long
    responses = map(
        PredictionResponse, customer_ids, _ids(scorer, requests, features, days), days,
        scores.churn_probability.tolist(), risk_bands(scores.churn_probability), scores.expected_spend.tolist(),
        scores.alive_probability.tolist(), scores.lifecycles, *_columns(scores.customer_value),
        map(NextOrderDays, *_columns(scores.next_order_days)), zip(*by_rank, strict=True),
        repeat(scorer.horizon_days), repeat(scorer.clv_days), repeat(scorer.model_version),
        [customer_id is not None for customer_id in customer_ids],
    )  # fmt: skip
    return [list(islice(responses, len(to_score))) for to_score in requests]


def as_json(responses: Sequence[PredictionResponse], together: int) -> list[bytes]:
    """The responses as JSON lists of up to `together`: several in one are faster to encode, to send and to store."""
    return [_encode(responses[start : start + together]) for start in range(0, len(responses), together)]


def joined(lists: Sequence[bytes]) -> bytes:
    """JSON lists as one."""
    return lists[0] if len(lists) == 1 else b"[%b]" % b",".join([memoryview(one)[1:-1] for one in lists])


def _of_days(function: Callable[[date], T], days: Sequence[date]) -> list[T]:
    """Of each day. In most requests all customers are as of the same one."""
    if days.count(days[0]) == len(days):
        return [function(days[0])] * len(days)
    return list(map(function, days))


def _columns(matrix: NDArray[Any]) -> list[list[Any]]:
    return matrix.T.tolist()  # type: ignore[no-any-return]


def _ids(
    scorer: Scorer, requests: Sequence[PredictionRequest], features: NDArray[np.float64], days: Sequence[str]
) -> Iterator[str]:
    rows = features.view(f"V{features.itemsize * features.shape[1]}")[:, 0].tolist()  # bytes
    start = 0
    for to_score in requests:
        about = f"|{scorer.model_version}|{to_score.source}|"
        part = slice(start, start := start + len(to_score))
        of_each = zip(to_score.customer_ids, days[part], to_score.marks or repeat(""), rows[part], strict=False)
        yield from [
            blake2b(f"{customer_id}|{day}{about}{mark}|".encode() + row, digest_size=16).hexdigest()
            for customer_id, day, mark, row in of_each
        ]


_day_text = lru_cache(maxsize=1_000)(str)  # 2026-06-30
_encode = msgspec.json.Encoder().encode
_CAUSES = np.array(CAUSE_NAMES, dtype=object)
