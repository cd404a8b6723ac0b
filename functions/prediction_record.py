"""What a prediction contains: one definition for the model's answer, SQL, the API's messages and the mart.

`PREDICTED` is the model's prediction for a customer, flat, as SQL gets it: from DuckDB's function, from the UDF inside
Snowflake and from the API as external function. `PredictionRecord` is a row of `marts.churn_predictions`. dbt's
descriptions of both are generated from here (`make generate`); tests/contract/test_prediction_contract.py holds all
else to it."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

RELATION = "marts.churn_predictions"
REASONS = 3
# the mart's column for the day by which the next order comes with a chance in percent
NEXT_ORDER_COLUMNS = {10: "next_order_earliest_on", 50: "next_order_on", 90: "next_order_latest_on"}

_SQL_TYPES = {str: "varchar", date: "date", int: "integer", float: "double", datetime: "timestamp"}
PREDICTED: dict[str, str] = {
    "churn_probability": "double",
    "expected_spend": "double",
    **{f"next_order_days_{chance}": "double" for chance in NEXT_ORDER_COLUMNS},
    **{f"reason_{rank}": "varchar" for rank in range(1, REASONS + 1)},
}

Text = Annotated[str, Field(min_length=1, max_length=1_000)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def _next_order(chance: int, otherwise: str) -> Any:
    by_this_day = f"The next order comes by this day with a chance of {chance} %"
    return Field(description=f"{by_this_day}; NULL: {otherwise} within two horizons.")


class PredictionRecord(BaseModel):
    """A row of the mart that did not come from a batch: the mart's columns in its order, with types and meanings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prediction_id: Annotated[
        Text,
        Field(
            description="Identifies the prediction; the same for a rerun of the same date, and for a repeated request."
        ),
    ]
    customer_id: Annotated[Text, Field(description="The shop's own customer id.")]
    as_of_date: Annotated[date, Field(description="The features were as known at the end of this day.")]
    horizon_days: Annotated[int, Field(gt=0, le=3_650, description="Churn means no purchase within so many days.")]
    churn_probability: Annotated[
        float, Field(ge=0, le=1, allow_inf_nan=False, description="P(no purchase within the horizon).")
    ]
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
    next_order_earliest_on: Annotated[date | None, _next_order(10, "less than that")]
    next_order_on: Annotated[date | None, _next_order(50, "none expected")]
    next_order_latest_on: Annotated[date | None, _next_order(90, "less than that")]
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
    kind = next(iter(get_args(annotation)), annotation)
    return "varchar" if isinstance(kind, str) else _SQL_TYPES[kind]


COLUMNS: dict[str, str] = {name: sql_type(field.annotation) for name, field in PredictionRecord.model_fields.items()}
