"""A row of `marts.churn_predictions`: one definition for the API's messages and the mart.

dbt's descriptions of it, and of what the model predicts (predicted.py), are generated from here (`make generate`);
tests/contract/test_prediction_contract.py holds all else to it."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

RELATION = "marts.churn_predictions"

_SQL_TYPES = {str: "varchar", date: "date", int: "integer", float: "double", datetime: "timestamp"}
Text = Annotated[str, Field(min_length=1, max_length=1_000)]
Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def _next_order(chance: int, otherwise: str) -> Any:
    by_this_day = f"The next order comes by this day with a chance of {chance} %"
    return Field(description=f"{by_this_day}; NULL: {otherwise} within two horizons.")


class PredictionRecord(BaseModel):
    """A row of the mart that did not come from a batch: the mart's columns in its order, with types and meanings."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    prediction_id: Annotated[
        Text,
        Field(
            description="Identifies the prediction; the same for a rerun of the same date, and for a repeated request."
        ),
    ]
    customer_id: Annotated[Text, Field(description="The shop's own customer id.")]
    as_of_date: Annotated[date, Field(description="The features were as known at the end of this day.")]
    horizon_days: Annotated[int, Field(gt=0, le=3_650, description="Churn means no purchase within so many days.")]
    clv_days: Annotated[
        int | None, Field(gt=0, le=3_650, description="clv, expected_loss and win_back_value are of so many days.")
    ]
    churn_probability: Annotated[Probability, Field(description="P(no purchase within the horizon).")]
    risk_band: Annotated[
        Literal["low", "medium", "high"], Field(description="low, medium or high, by the variable risk_bands.")
    ]
    expected_spend: Annotated[
        Amount,
        Field(
            description="Expected spend within the horizon, in the reporting currency: P(purchase) × mean spend of"
            " buyers."
        ),
    ]
    # NULL from here to win_back_value, and clv_days: served by a version that did not predict them
    alive_probability: Annotated[
        Probability | None,
        Field(description="P(still a customer), at least 1 - churn_probability."),
    ]
    lifecycle: Annotated[
        Literal["new", "active", "due", "slipping", "gone"] | None,
        Field(
            description="new: one purchase, not longer ago than the horizon. active: almost certainly a customer, and"
            " silent no longer than usual. due: not sure of either. slipping: much of the chance that they are still"
            " there is lost. gone: almost certainly no customer any more."
        ),
    ]
    clv: Annotated[
        Amount | None,
        Field(description="Customer lifetime value: expected spend in the next clv_days."),
    ]
    clv_low: Annotated[
        Amount | None,
        Field(
            description="Lower end of the interval of 80 % for what they spend in clv_days; NULL: no past window of"
            " clv_days is known to the end."
        ),
    ]
    clv_high: Annotated[Amount | None, Field(description="Upper end of that interval.")]
    expected_loss: Annotated[
        Amount | None,
        Field(description="What they would spend in clv_days if they stayed, weighted by alive_probability, less clv."),
    ]
    win_back_value: Annotated[
        Amount | None,
        Field(
            description="What they would spend in clv_days if they ordered again today, that order included, weighted"
            " by the probability that they have left, 1 - alive_probability."
        ),
    ]
    next_order_earliest_on: Annotated[date | None, _next_order(10, "less than that")]
    next_order_on: Annotated[date | None, _next_order(50, "none expected")]
    next_order_latest_on: Annotated[date | None, _next_order(90, "less than that")]
    next_order_if_back_on: Annotated[
        date | None,
        Field(
            description="If they order within the horizon, the next order comes by this day with a chance of 50 %,"
            " however likely that is; NULL: served by a version that did not predict it."
        ),
    ]
    reason_1: Annotated[
        Text,
        Field(
            description="Strongest reason of the probability, in words with the customer's own figures, compared with a"
            " typical customer."
        ),
    ]
    reason_2: Annotated[Text, Field(description="Second reason.")]
    reason_3: Annotated[Text, Field(description="Third reason.")]
    model_version: Annotated[
        Text, Field(description="The model that predicted it. One named shipped-… was not trained on this shop.")
    ]
    source: Annotated[Literal["api", "external_function"], Field(description="batch, api or external_function.")]
    scored_at: Annotated[datetime, Field(description="When, UTC.")]


def sql_type(annotation: Any) -> str:
    """dbt's name of the type of a column: `double` of `float | None`, `varchar` of a Literal of texts."""
    kind = annotation
    while parts := get_args(kind):  # of an optional, annotated or literal type
        kind = parts[0]
    return "varchar" if isinstance(kind, str) else _SQL_TYPES[kind]


COLUMNS: dict[str, str] = {name: sql_type(field.annotation) for name, field in PredictionRecord.model_fields.items()}
