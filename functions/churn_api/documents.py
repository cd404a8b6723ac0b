"""The responses as OpenAPI describes them. The API sends `predictions.PredictionResponse`; a test compares both."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from functions.churn_api.contract import Cause, Lifecycle, RiskBand
from functions.churn_api.external_function import MAX_ROWS
from functions.churn_api.problems import CODES, codes_of

Days = Annotated[float | None, Field(ge=0, json_schema_extra={"unit": "days"})]

Money = Annotated[float, Field(ge=0, json_schema_extra={"unit": "reporting currency"})]


class Reason(BaseModel):
    cause: Cause
    text: Annotated[str, Field(examples=["higher risk: last order 95 days ago; usually every 60 days"])]
    effect: Annotated[float, Field(ge=-1, le=1, description="How much smaller the probability would be without it")]


class NextOrder(BaseModel):
    """Days after the as-of date by which, rounded up, the next order comes with a chance; null: not within two
    horizons."""

    chance_10: Days
    chance_50: Days
    chance_90: Days
    if_back: Annotated[Days, Field(description="… of half of those who order within the horizon, however few they are")]


class NextProduct(BaseModel):
    sku: Annotated[str, Field(examples=["TEAPOT"])]
    name: Annotated[str | None, Field(description="Where the shop has a table of products; null: not known")]
    because: Annotated[
        Literal["own_habit", "goes_with_own", "popular"],
        Field(description="They buy it again; others who buy what they bought buy it too; or many buy it"),
    ]


class NextProducts(BaseModel):
    products: Annotated[list[NextProduct], Field(description="Up to five, the best first", max_length=5)]
    method: Annotated[str, Field(description="How they are ranked: docs/api.md", examples=["recent and co-purchase"])]
    known_until: Annotated[date, Field(description="Neighbours and popularity are as known at the end of this day")]


class Prediction(BaseModel):
    customer_id: Annotated[str, Field(examples=["C000042"])]
    prediction_id: Annotated[
        str,
        Field(
            description="Identifies the request (customer, day, features, model): a repeated one gets the same id, and"
            " marts.churn_predictions one row",
            examples=["0f5d1c9e8f3b4a7c9d2e6b1a5c8f7e3d"],
        ),
    ]
    as_of: Annotated[date, Field(description="The figures are as known at the end of this day")]
    churn_probability: Annotated[float, Field(ge=0, le=1, description="P(no purchase within the horizon)")]
    risk_band: RiskBand
    expected_spend: Annotated[Money, Field(description="Within the horizon")]
    alive_probability: Annotated[
        float, Field(ge=0, le=1, description="P(still a customer), at least 1 - churn_probability")
    ]
    lifecycle: Annotated[Lifecycle, Field(description="Where they stand, by their own pace: docs/marts.md")]
    clv: Annotated[Money, Field(description="Customer lifetime value: expected spend in the next clv_days")]
    clv_low: Annotated[Money | None, Field(description="Lower end of an interval of 80 %; null: not known")]
    clv_high: Annotated[Money | None, Field(description="Upper end of that interval; null: not known")]
    expected_loss: Annotated[
        Money,
        Field(description="What they would spend in clv_days if they stayed, times P(alive), less clv"),
    ]
    win_back_value: Annotated[
        Money, Field(description="What they would spend in clv_days if they ordered again today, times P(gone)")
    ]
    next_order_days: NextOrder
    reasons: Annotated[list[Reason], Field(description="The three strongest, the strongest first")]
    horizon_days: Annotated[int, Field(json_schema_extra={"unit": "days"})]
    clv_days: Annotated[int, Field(json_schema_extra={"unit": "days"})]
    model_version: str
    stored: Annotated[
        bool, Field(description="Whether it is safe on its way to marts.churn_predictions; if not, ask again later")
    ]
    # left out rather than null, so that clients of before it read the same
    next_products: Annotated[
        NextProducts,
        Field(
            default_factory=lambda: None,
            description="What to show them next; only where orders name a `sku` and the shop's products are known",
        ),
    ]


class Health(BaseModel):
    status: Literal["ok"]
    model_version: Annotated[str, Field(description="The model that serves")]
    champion: Annotated[str | None, Field(description="The model that should; null: the model store cannot be read")]
    refused_models: Annotated[
        list[str], Field(description="Newer models that could not be loaded; this one was kept instead")
    ]


class Ready(BaseModel):
    status: Literal["ready"]


class ModelCard(BaseModel):
    """What a model is, what it was trained on and how good it is; of the figures there may be more."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    model_version: str
    algorithm: str
    predicts: str
    intended_use: str
    limits: list[str]
    horizon_days: Annotated[int, Field(json_schema_extra={"unit": "days"})]
    clv_days: Annotated[int, Field(json_schema_extra={"unit": "days"})]
    trained_as_of: date
    features: Annotated[list[str], Field(description="In the order of the model's inputs")]


class ExternalBatch(BaseModel):
    """Rows of [row number, argument]; the argument is an object of the features, whose names may be in capitals,
    with customer_id and as_of_date if the prediction is to be stored."""

    model_config = ConfigDict(extra="forbid")

    data: Annotated[
        list[tuple[Annotated[int, Field(strict=True, ge=0)], Any]],
        Field(max_length=MAX_ROWS, examples=[[[0, {"customer_id": "C000042", "recency_days": 95}], [1, None]]]),
    ]


class ExternalPrediction(BaseModel):
    """A row's value. Where `error` says why, everything else is null."""

    customer_id: str | None = None
    prediction_id: str | None = None
    churn_probability: float | None = None
    risk_band: RiskBand | None = None
    expected_spend: float | None = None
    alive_probability: float | None = None
    lifecycle: Lifecycle | None = None
    clv: float | None = None
    clv_low: float | None = None
    clv_high: float | None = None
    expected_loss: float | None = None
    win_back_value: float | None = None
    next_order_days_10: float | None = None
    next_order_days_50: float | None = None
    next_order_days_90: float | None = None
    next_order_days_if_back: float | None = None
    reason_1: str | None = None
    reason_2: str | None = None
    reason_3: str | None = None
    horizon_days: int | None = None
    clv_days: int | None = None
    model_version: str | None = None
    stored: bool | None = None
    error: str | None = None


class ExternalResponse(BaseModel):
    """The same row numbers, each with its value."""

    data: list[tuple[int, ExternalPrediction]]


class Place(BaseModel):
    """Something in a body that does not fit."""

    pointer: Annotated[
        str,
        Field(
            description="JSON pointer to it (RFC 6901); the whole body is empty", examples=["/3/features/recency_days"]
        ),
    ]
    detail: Annotated[str, Field(examples=["Input should be greater than or equal to 0"])]
    code: Annotated[str, Field(examples=["greater_than_equal"])]


class Problem(BaseModel):
    """A refusal, as problem details (RFC 9457)."""

    type: Annotated[str, Field(examples=["urn:churn-api:problem:body_invalid"])]
    title: Annotated[str, Field(examples=["The body does not fit"])]
    status: Annotated[int, Field(examples=[422])]
    detail: Annotated[str, Field(description="What is wrong, and what to do")]
    code: Annotated[str, Field(description=f"Stays the same; more may follow: {', '.join(CODES)}")]
    errors: Annotated[
        list[Place] | None, Field(description="With body_invalid: all that does not fit, up to a hundred places")
    ] = None


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of an operation, for OpenAPI."""
    return {status: {"model": Problem, "description": f"{', '.join(codes_of(status))}"} for status in statuses}


OF_EVERY_KEY = (401, 403, 429, 503)
OF_EVERY_BODY = (400, 413, 415, 422)
