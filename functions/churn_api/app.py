"""`POST /predict`: churn probabilities over HTTP."""

from typing import Annotated, Literal

import numpy as np
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from functions.churn_api.contract import CustomerFeatures, RiskBand, risk_band
from functions.churn_api.reasons import CAUSE_NAMES, Cause
from functions.churn_api.scorer import Scorer, Scores

MAX_CUSTOMERS = 1_000


class Customer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    customer_id: Annotated[str, Field(min_length=1, max_length=200, examples=["C000042"])]
    features: CustomerFeatures


class Reason(BaseModel):
    cause: Cause
    text: Annotated[str, Field(examples=["higher risk: last order 95 days ago; usually every 60 days"])]
    effect: Annotated[float, Field(description="How much smaller the probability would be without this cause")]


class NextOrder(BaseModel):
    """Days after the as-of date by which the next order comes with a chance; null: not within two horizons."""

    chance_10: float | None
    chance_50: float | None
    chance_90: float | None


class Prediction(BaseModel):
    customer_id: str
    churn_probability: Annotated[float, Field(ge=0, le=1, description="P(no purchase within the horizon)")]
    risk_band: RiskBand
    expected_spend: Annotated[float, Field(ge=0, description="Within the horizon, in the reporting currency")]
    next_order_days: NextOrder
    reasons: Annotated[list[Reason], Field(description="The three strongest, the strongest first")]
    horizon_days: int
    model_version: str


class Health(BaseModel):
    status: Literal["ok"]
    model_version: str


Customers = Annotated[list[Customer], Field(min_length=1, max_length=MAX_CUSTOMERS)]


def create_app(scorer: Scorer) -> FastAPI:
    """The API over one model, which stays loaded as long as the app lives."""
    app = FastAPI(title="Churn prediction", version=scorer.model_version)

    @app.exception_handler(RequestValidationError)
    def refuse(_: Request, error: RequestValidationError) -> JSONResponse:
        """Names field and reason; does not send the values back, which may be personal, or NaN."""
        problems = [{"loc": p["loc"], "msg": p["msg"], "type": p["type"]} for p in error.errors()]
        return JSONResponse({"detail": problems}, status_code=422)

    @app.post("/predict")
    def predict(body: Customer | Customers) -> list[Prediction]:
        """Scores one customer or a list of up to 1,000; answers in the same order."""
        customers = [body] if isinstance(body, Customer) else body
        rows = [[_number(value) for _, value in customer.features] for customer in customers]
        scores = scorer.score(np.array(rows, dtype=np.float64))
        return [_prediction(customer.customer_id, scores, row, scorer) for row, customer in enumerate(customers)]

    @app.get("/health")
    def health() -> Health:
        return Health(status="ok", model_version=scorer.model_version)

    return app


def _prediction(customer_id: str, scores: Scores, row: int, scorer: Scorer) -> Prediction:
    probability = float(scores.churn_probability[row])
    days = [None if np.isnan(value) else float(value) for value in scores.next_order_days[row]]
    reasons = zip(scores.causes[row], scores.reasons[row], scores.effects[row], strict=True)
    return Prediction(
        customer_id=customer_id,
        churn_probability=probability,
        risk_band=risk_band(probability),
        expected_spend=float(scores.expected_spend[row]),
        next_order_days=NextOrder(chance_10=days[0], chance_50=days[1], chance_90=days[2]),
        reasons=[Reason(cause=CAUSE_NAMES[cause], text=text, effect=float(effect)) for cause, text, effect in reasons],
        horizon_days=scorer.horizon_days,
        model_version=scorer.model_version,
    )


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
