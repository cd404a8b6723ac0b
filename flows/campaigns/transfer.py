"""How far what past campaigns changed carries over to the one at hand: its offer may be another, and its season too.

The effect is learnt from past campaigns with the same offer where these are enough. Else it is learnt from all of them,
and this module says how they differ and what that does to the promise."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flows.campaigns.covariates import Flags, numbers
from flows.campaigns.offer import Offer
from flows.campaigns.past_targets import PastTargets
from flows.campaigns.warnings import PlanWarning

# Offers of one kind are the same up to this factor of their values: 5 off and 6 off are, 5 off and 10 off are not.
_SAME_UP_TO = 1.5
_SAME_SEASON_DAYS = 75
OFFER_COLUMNS = ("offer_text", "offer_kind", "offer_value")


@dataclass(frozen=True)
class Transfer:
    """expected: the share of the effect learnt that is expected of the offer at hand; lowest, highest: the shares
    between which it may be. differences: how what was learnt differs from what is sent."""

    expected: float = 1.0
    lowest: float = 1.0
    highest: float = 1.0
    differences: tuple[PlanWarning, ...] = ()


AS_LEARNT = Transfer()


def comparable(history: pa.Table, offer: Offer, launched_on: date) -> tuple[pa.Table, Transfer]:
    """The past targets to learn from, and how far what is learnt carries over.

    `history`: rows as `fit_uplift` takes them, with OFFER_COLUMNS and launched_on."""
    if not len(history):
        return history, AS_LEARNT
    same = _is_same(history, offer)
    if same.all() or not PastTargets.of(alike := history.filter(pa.array(same))).missing():
        history = history if same.all() else alike
        return history, Transfer(differences=tuple(_season(history, launched_on)))
    expected, lowest, highest, difference = _of_another(history, offer)
    return history, Transfer(expected, lowest, highest, (difference, *_season(history, launched_on)))


def _is_same(history: pa.Table, offer: Offer) -> Flags:
    """Which past targets were sent the same offer, by kind and value; by its text where it is not described."""
    text = np.asarray(history["offer_text"].to_numpy() == offer.text, dtype=bool)
    kind, value = history["offer_kind"].to_numpy(), numbers(history, "offer_value")
    if offer.kind is None:
        return text
    of_kind = np.asarray(kind == offer.kind, dtype=bool)
    if offer.value is None:
        return np.asarray(of_kind & np.isnan(value))
    near = (value <= offer.value * _SAME_UP_TO) & (value * _SAME_UP_TO >= offer.value)
    return np.asarray(of_kind & near)


def _of_another(history: pa.Table, offer: Offer) -> tuple[float, float, float, PlanWarning]:
    """Expected, lowest and highest share of the effect, and the warning that says so.

    A weaker offer of the same kind is expected to change as much less as it is worth less. A stronger one is expected
    to change no more than was seen. Nothing that was measured says so: the interval has no effect at its other end."""
    learnt_from = _learnt_from(history)
    value = numbers(history, "offer_value")
    is_of_kind = offer.kind is not None and bool(np.all(history["offer_kind"].to_numpy() == offer.kind))
    usual = float(value.mean()) if is_of_kind and offer.value else float("nan")
    ratio = None if np.isnan(usual) else float(offer.value or 0) / usual
    if ratio is None:
        expected, highest = 1.0, 1.0
        undescribed = offer.kind is None or history["offer_kind"].null_count > 0
        what = "it may change nothing at all" + ("; describe offers by `kind` and `value`" if undescribed else "")
    elif ratio < 1:
        expected, highest = ratio, 1.0
        what = f"this one is worth {ratio:.0%} of that, and is expected to change so much of what they did"
    else:
        expected, highest = 1.0, ratio
        what = f"this one is worth {ratio:.1f} times as much, and is expected to change as much as they did"
    learnt = " and ".join(dict.fromkeys(one.describe() for one in learnt_from))
    text = f"learnt from {learnt}, and this one is {offer.describe()}: {what}"
    values = {"learnt_from": learnt_from, "sent": offer, "ratio": ratio}
    return expected, 0.0, highest, PlanWarning("other_offer", text, values)


def _learnt_from(history: pa.Table) -> list[Offer]:
    """The offers of past campaigns, those sent most often first."""
    counts = history.group_by(list(OFFER_COLUMNS)).aggregate([("campaign", "count"), ("campaign", "count_distinct")])
    rows = counts.sort_by([("campaign_count", "descending"), ("offer_text", "ascending")]).to_pylist()
    return [Offer(text=row["offer_text"], kind=row["offer_kind"], value=row["offer_value"]) for row in rows]


def _season(history: pa.Table, launched_on: date) -> Iterator[PlanWarning]:
    """A warning where no past campaign was near this time of the year."""
    launched = pc.unique(history["launched_on"]).to_pylist()
    apart = [abs(day.timetuple().tm_yday - launched_on.timetuple().tm_yday) for day in launched]
    if all(min(days, 365 - days) > _SAME_SEASON_DAYS for days in apart):
        months = ", ".join(f"{day:%B %Y}" for day in sorted(launched))
        text = f"learnt in {months}, and this one starts in {launched_on:%B}: another season may respond otherwise"
        yield PlanWarning("other_season", text, {"learnt_on": sorted(launched), "launched_on": launched_on})
