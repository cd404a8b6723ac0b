"""The features of a customer: one definition for the warehouse, the training, the model and the API.

A feature says what it is, in which unit, and to which cause of churn it belongs (see reasons.py). Names hold the length
of windows, and SQL and Python read it from there: `feature_parts`. docs/features.md adds a feature, step by step.
The order of the fields is the order of the model's inputs. Everything is as known at the end of one day, the
as-of date; "last N days" includes that day. A purchase is everything a customer bought on one day, less what
was sent back by the as-of date; a purchase that was sent back whole does not count. A missing value means
that the customer has not bought often or long enough for the figure to exist, or that nothing is known of products or
e-mails.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

Cause = Literal["recency", "frequency", "spend", "activity", "returns", "engagement"]
CAUSE_NAMES: tuple[Cause, ...] = get_args(Cause)


class Feature(NamedTuple):
    """A figure of a customer. `least` and `most`: what it may be. `is_required`: it exists for every customer."""

    cause: Cause
    description: str
    unit: str
    least: float
    most: float
    example: float
    is_whole: bool = False
    is_required: bool = True


def _days(cause: Cause, description: str, example: float) -> Feature:
    return Feature(cause, description, "days", 0, 36_525, example)


def _purchases(cause: Cause, description: str, example: float, *, least: float = 0) -> Feature:
    return Feature(cause, description, "purchases", least, 36_525, example)


def _money(description: str, example: float) -> Feature:
    return Feature("spend", description, "reporting currency", 0, 1e12, example)


def _ratio(cause: Cause, description: str, example: float, *, least: float = 0, most: float = 36_525) -> Feature:
    return Feature(cause, description, "ratio", least, most, example)


def _emails(description: str, example: float) -> Feature:
    return Feature("engagement", description, "e-mails", 0, 1_000_000, example)


def _money_last(days: int, example: float) -> Feature:
    return _money(f"Money spent in the last {days} days", example)


def _purchases_last(days: int, example: int) -> Feature:
    return _purchases("activity", f"Purchases in the last {days} days", example)


def _decayed(days: int, example: float) -> Feature:
    return _purchases("activity", f"Purchases, each counting half as much every {days} days that pass", example)


def _trend(days: int, example: float) -> Feature:
    lately = f"Purchases of the last {days} days less those of the {days} before, by their number plus one"
    return _ratio("activity", lately, example, least=-1, most=1)


class Contract:
    """A customer with at least one purchase, as known at the end of the as-of date."""

    recency_days: Annotated[int, _days("recency", "Days since the last purchase", 95)]
    frequency: Annotated[int, _purchases("frequency", "Purchases so far", 5, least=1)]
    monetary: Annotated[float, _money("Money spent so far, net of returns", 412.5)]
    tenure_days: Annotated[int, _days("frequency", "Days since the first purchase", 400)]
    average_order_value: Annotated[float, _money("Money spent per purchase", 82.5)]
    spend_last_90_days: Annotated[float, _money_last(90, 0.0)]
    spend_last_365_days: Annotated[float, _money_last(365, 330.0)]
    returned_share: Annotated[float, _ratio("returns", "Share of the money spent that was sent back", 0.05, most=1)]
    purchases_last_30_days: Annotated[int, _purchases_last(30, 0)]
    purchases_last_60_days: Annotated[int, _purchases_last(60, 0)]
    purchases_last_90_days: Annotated[int, _purchases_last(90, 0)]
    purchases_last_180_days: Annotated[int, _purchases_last(180, 2)]
    purchases_last_365_days: Annotated[int, _purchases_last(365, 4)]
    decayed_purchases_15_days: Annotated[float, _decayed(15, 0.01)]
    decayed_purchases_45_days: Annotated[float, _decayed(45, 0.38)]
    decayed_purchases_120_days: Annotated[float, _decayed(120, 1.42)]
    days_since_2nd_last_purchase: Annotated[
        int | None, _days("recency", "Days since the last purchase but one", 130)
    ] = None
    days_since_3rd_last_purchase: Annotated[int | None, _days("recency", "Days since the third last purchase", 190)] = (
        None
    )
    days_since_5th_last_purchase: Annotated[int | None, _days("recency", "Days since the fifth last purchase", 400)] = (
        None
    )
    active_weeks_share: Annotated[
        float, _ratio("frequency", "Share of the weeks since the first purchase with a purchase", 0.09, most=1)
    ]
    mean_gap_days: Annotated[float | None, _days("recency", "Mean days between purchases", 76.3)] = None
    median_gap_days: Annotated[float | None, _days("recency", "Median days between purchases", 60.0)] = None
    max_gap_days: Annotated[int | None, _days("recency", "Most days between two purchases in a row", 150)] = None
    shrunk_gap_days: Annotated[
        float, _days("recency", "Mean days between purchases, the horizon counting as one more gap", 79.0)
    ]
    days_per_purchase: Annotated[
        float, _days("frequency", "Days since the first purchase, that day included, per purchase", 80.2)
    ]
    recency_to_mean_gap: Annotated[float | None, _ratio("recency", "recency_days ÷ mean_gap_days", 1.25)] = None
    recency_to_median_gap: Annotated[float | None, _ratio("recency", "recency_days ÷ median_gap_days", 1.58)] = None
    recency_to_max_gap: Annotated[float | None, _ratio("recency", "recency_days ÷ max_gap_days", 0.63)] = None
    recency_to_shrunk_gap: Annotated[float, _ratio("recency", "recency_days ÷ shrunk_gap_days", 1.2)]
    recency_to_days_per_purchase: Annotated[float, _ratio("recency", "recency_days ÷ days_per_purchase", 1.18)]
    trend_90_days: Annotated[float, _trend(90, -0.67)]
    trend_180_days: Annotated[float, _trend(180, 0.0)]
    # What these tell is what a silence means for this customer, so that all of them belong to its cause.
    gap_variation: Annotated[
        float | None, _ratio("recency", "Standard deviation of the days between purchases ÷ mean_gap_days", 0.46)
    ] = None
    silence_in_gap_spreads: Annotated[
        float | None,
        _ratio(
            "recency",
            "recency_days less mean_gap_days, ÷ the standard deviation of the days between purchases, to which"
            " mean_gap_days counts as one more deviation, and which is at least a day",
            0.42,
            least=-200,
        ),
    ] = None
    purchases_same_weeks_a_year: Annotated[
        float | None,
        _purchases(
            "recency", "Purchases in the weeks of the coming horizon in earlier years, by the number of such years", 0.5
        ),
    ] = None
    lines_per_purchase: Annotated[
        float | None,
        Feature("recency", "Lines with a product per purchase", "lines", 0, 1_000_000, 2.2),
    ] = None
    emails_opened_last_90_days: Annotated[
        int | None, _emails("Times our e-mails were opened in the last 90 days", 3)
    ] = None
    emails_clicked_last_90_days: Annotated[int | None, _emails("Clicks in our e-mails in the last 90 days", 1)] = None
    days_since_last_email_open: Annotated[
        int | None, _days("engagement", "Days since an e-mail of ours was last opened", 12)
    ] = None
    has_opted_out: Annotated[
        int | None, Feature("engagement", "Whether e-mails are no longer wanted", "0 or 1", 0, 1, 0)
    ] = None


class NotInContract(LookupError):
    """A feature, or something of one, that this file does not define; the message says what and where to write it."""


def _features() -> Iterator[tuple[str, Feature]]:
    """
    Raises:
        NotInContract: for a feature without a cause.
    """
    for name, hint in Contract.__annotations__.items():
        kind, feature = (*get_args(hint), None, None)[:2]
        if not isinstance(feature, Feature) or feature.cause not in CAUSE_NAMES:
            raise NotInContract(
                f"The feature {name} in functions/churn_api/contract.py names no cause of churn, or none of"
                f" {', '.join(CAUSE_NAMES)}: begin it with one of the functions above, such as"
                f' {name}: Annotated[float, _ratio("recency", "What it is", 0.5)].'
            )
        is_whole = int in (kind, *get_args(kind))
        yield name, feature._replace(is_whole=is_whole, is_required=not hasattr(Contract, name))


FEATURES: Mapping[str, Feature] = dict(_features())
FEATURE_NAMES: tuple[str, ...] = tuple(FEATURES)

# The causes part the features among themselves. A model may use some causes only.
CAUSES: dict[Cause, tuple[str, ...]] = {
    cause: tuple(name for name, feature in FEATURES.items() if feature.cause == cause) for cause in CAUSE_NAMES
}
EMAIL_FEATURES = CAUSES["engagement"]  # what orders alone do not tell; all of it may be missing

EARLIEST_YEAR = 1950  # an earlier date of a shop is a mistake


def feature_position(name: str) -> int:
    """The column of a feature in every matrix of features.

    Raises:
        NotInContract: when there is no such feature.
    """
    try:
        return FEATURE_NAMES.index(name)
    except ValueError:
        raise NotInContract(f"functions/churn_api/contract.py defines no feature {name}, which is used here.") from None


def feature_parts(pattern: str) -> tuple[str, ...]:
    """What stands for the braces in the names of features, in the contract's order: 30, 60 … of
    "purchases_last_{}_days".

    The macro feature_parts does the same for SQL.
    """
    before, after = map(re.escape, pattern.split("{}"))
    found = (re.fullmatch(f"{before}(.+){after}", name) for name in FEATURE_NAMES)
    return tuple(match[1] for match in found if match)


# Names and order, in short: a model remembers it and refuses to serve under another.
CONTRACT_FINGERPRINT = hashlib.sha256(",".join(FEATURE_NAMES).encode()).hexdigest()[:12]

# Churn probability from which a customer is in the band; below the first: low.
RiskBand = Literal["low", "medium", "high"]
RISK_BANDS: tuple[tuple[float, RiskBand], ...] = ((0.7, "high"), (0.4, "medium"), (0.0, "low"))


def risk_bands(churn_probability: NDArray[np.float64]) -> list[RiskBand]:
    """low, medium or high, for each of n customers."""
    bands: list[RiskBand] = _BANDS[np.searchsorted(_THRESHOLDS, churn_probability, side="right") - 1].tolist()
    return bands


# Where a customer stands; flows/churn/lifecycle.py says when. The model's graph gives the position in this list.
Lifecycle = Literal["new", "active", "due", "slipping", "gone"]
LIFECYCLES: tuple[Lifecycle, ...] = get_args(Lifecycle)

_THRESHOLDS = np.array([threshold for threshold, _ in RISK_BANDS[::-1]])
_BANDS = np.array([band for _, band in RISK_BANDS[::-1]], dtype=object)
