"""The features of a customer: one definition for the warehouse, the training, the model and the API.

The order of the fields is the order of the model's inputs. Everything is as known at the end of one day, the
as-of date; "last N days" includes that day. A purchase is everything a customer bought on one day, less what
was sent back by the as-of date; a purchase that was sent back whole does not count. A missing value means
that the customer has not bought often enough for the figure to exist, or that nothing is known of e-mails.
"""

import hashlib
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator


def _field(description: str, unit: str, *, le: float, ge: float = 0, example: float | None = None) -> Any:
    return Field(
        description=description,
        ge=ge,
        le=le,
        json_schema_extra={"unit": unit},
        examples=[example],
        allow_inf_nan=False,
        strict=True,  # a number, not text that looks like one
    )


def _days(description: str, example: float) -> Any:
    return _field(description, "days", le=36_525, example=example)


def _purchases(description: str, example: float, *, ge: float = 0) -> Any:
    return _field(description, "purchases", ge=ge, le=36_525, example=example)


def _money(description: str, example: float) -> Any:
    return _field(description, "reporting currency", le=1e12, example=example)


def _ratio(description: str, example: float, *, ge: float = 0, le: float = 36_525) -> Any:
    return _field(description, "ratio", ge=ge, le=le, example=example)


def _emails(description: str, example: float) -> Any:
    return _field(description, "e-mails", le=1_000_000, example=example)


def _purchases_last(days: int, example: int) -> Any:
    return _purchases(f"Purchases in the last {days} days", example)


def _decayed(days: int, example: float) -> Any:
    return _purchases(f"Purchases, each counting half as much every {days} days that pass", example)


class CustomerFeatures(BaseModel):
    """A customer with at least one purchase, as known at the end of the as-of date."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _without_points(cls, given: Any) -> Any:
        """95 for 95.0: tables with gaps have their whole numbers as floats."""
        if not isinstance(given, dict):
            return given
        return {name: int(v) if isinstance(v, float) and v.is_integer() else v for name, v in given.items()}

    recency_days: Annotated[int, _days("Days since the last purchase", 95)]
    frequency: Annotated[int, _purchases("Purchases so far", 5, ge=1)]
    monetary: Annotated[float, _money("Money spent so far, net of returns", 412.5)]
    tenure_days: Annotated[int, _days("Days since the first purchase", 400)]
    average_order_value: Annotated[float, _money("Money spent per purchase", 82.5)]
    spend_last_90_days: Annotated[float, _money("Money spent in the last 90 days", 0.0)]
    spend_last_365_days: Annotated[float, _money("Money spent in the last 365 days", 330.0)]
    returned_share: Annotated[float, _ratio("Share of the money spent that was sent back", 0.05, le=1)]
    purchases_last_30_days: Annotated[int, _purchases_last(30, 0)]
    purchases_last_60_days: Annotated[int, _purchases_last(60, 0)]
    purchases_last_90_days: Annotated[int, _purchases_last(90, 0)]
    purchases_last_180_days: Annotated[int, _purchases_last(180, 2)]
    purchases_last_365_days: Annotated[int, _purchases_last(365, 4)]
    decayed_purchases_15_days: Annotated[float, _decayed(15, 0.01)]
    decayed_purchases_45_days: Annotated[float, _decayed(45, 0.38)]
    decayed_purchases_120_days: Annotated[float, _decayed(120, 1.42)]
    days_since_2nd_last_purchase: Annotated[int | None, _days("Days since the last purchase but one", 130)] = None
    days_since_3rd_last_purchase: Annotated[int | None, _days("Days since the third last purchase", 190)] = None
    days_since_5th_last_purchase: Annotated[int | None, _days("Days since the fifth last purchase", 400)] = None
    active_weeks_share: Annotated[
        float, _ratio("Share of the weeks since the first purchase with a purchase", 0.09, le=1)
    ]
    mean_gap_days: Annotated[float | None, _days("Mean days between purchases", 76.3)] = None
    median_gap_days: Annotated[float | None, _days("Median days between purchases", 60.0)] = None
    max_gap_days: Annotated[int | None, _days("Most days between two purchases in a row", 150)] = None
    shrunk_gap_days: Annotated[float, _days("Mean days between purchases, the horizon counting as one more gap", 79.0)]
    days_per_purchase: Annotated[float, _days("Days since the first purchase, that day included, per purchase", 80.2)]
    recency_to_mean_gap: Annotated[float | None, _ratio("recency_days ÷ mean_gap_days", 1.25)] = None
    recency_to_median_gap: Annotated[float | None, _ratio("recency_days ÷ median_gap_days", 1.58)] = None
    recency_to_max_gap: Annotated[float | None, _ratio("recency_days ÷ max_gap_days", 0.63)] = None
    recency_to_shrunk_gap: Annotated[float, _ratio("recency_days ÷ shrunk_gap_days", 1.2)]
    recency_to_days_per_purchase: Annotated[float, _ratio("recency_days ÷ days_per_purchase", 1.18)]
    trend_90_days: Annotated[
        float,
        _ratio(
            "Purchases of the last 90 days less those of the 90 before, by their number plus one", -0.67, ge=-1, le=1
        ),
    ]
    trend_180_days: Annotated[
        float,
        _ratio(
            "Purchases of the last 180 days less those of the 180 before, by their number plus one", 0.0, ge=-1, le=1
        ),
    ]
    emails_opened_last_90_days: Annotated[
        int | None, _emails("Times our e-mails were opened in the last 90 days", 3)
    ] = None
    emails_clicked_last_90_days: Annotated[int | None, _emails("Clicks in our e-mails in the last 90 days", 1)] = None
    days_since_last_email_open: Annotated[int | None, _days("Days since an e-mail of ours was last opened", 12)] = None
    has_opted_out: Annotated[int | None, _field("Whether e-mails are no longer wanted", "0 or 1", le=1, example=0)] = (
        None
    )


FEATURE_NAMES: tuple[str, ...] = tuple(CustomerFeatures.model_fields)
# What orders alone do not tell; all of it may be missing.
EMAIL_FEATURES = (
    "emails_opened_last_90_days", "emails_clicked_last_90_days", "days_since_last_email_open", "has_opted_out",
)  # fmt: skip

# Names and order, in short: a model remembers it and refuses to serve under another.
CONTRACT_FINGERPRINT = hashlib.sha256(",".join(FEATURE_NAMES).encode()).hexdigest()[:12]

# Churn probability from which a customer is in the band; below the first: low.
RiskBand = Literal["low", "medium", "high"]
RISK_BANDS: tuple[tuple[float, RiskBand], ...] = ((0.7, "high"), (0.4, "medium"), (0.0, "low"))


def risk_bands(churn_probability: NDArray[np.float64]) -> list[RiskBand]:
    """low, medium or high, for each of n customers."""
    bands: list[RiskBand] = _BANDS[np.searchsorted(_THRESHOLDS, churn_probability, side="right") - 1].tolist()
    return bands


_THRESHOLDS = np.array([threshold for threshold, _ in RISK_BANDS[::-1]])
_BANDS = np.array([band for _, band in RISK_BANDS[::-1]], dtype=object)
