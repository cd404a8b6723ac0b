"""`POST /predict`: churn probabilities over HTTP."""

from typing import Annotated, Literal

import numpy as np
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from functions.churn_api.contract import CustomerFeatures, RiskBand, risk_band
from functions.churn_api.scorer import Scorer

MAX_CUSTOMERS = 1_000


class Customer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    customer_id: Annotated[str, Field(min_length=1, max_length=200, examples=["C000042"])]
    features: CustomerFeatures


class Prediction(BaseModel):
    customer_id: str
    churn_probability: Annotated[float, Field(ge=0, le=1, description="P(no purchase within the horizon)")]
    risk_band: RiskBand
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
        probabilities = scorer.churn_probability(np.array(rows, dtype=np.float32))
        return [
            Prediction(
                customer_id=customer.customer_id,
                churn_probability=probability,
                risk_band=risk_band(probability),
                horizon_days=scorer.horizon_days,
                model_version=scorer.model_version,
            )
            for customer, probability in zip(customers, probabilities.tolist(), strict=True)
        ]

    @app.get("/health")
    def health() -> Health:
        return Health(status="ok", model_version=scorer.model_version)

    return app


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
