"""Every route of the API, documented: churn probabilities over HTTP."""

from typing import Annotated, Any

from fastapi import Body as RequestBody
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from functions.churn_api.access import KEY_HEADER
from functions.churn_api.customers import Body, Refused, read, without_tags
from functions.churn_api.documents import PROBLEMS, ExternalBatch, ExternalResponse, Health, Prediction
from functions.churn_api.external_function import BATCH_ID_HEADER, read_batch, write_batch
from functions.churn_api.middleware import internal_error
from functions.churn_api.predictor import NOT_STORED, NotStored
from functions.churn_api.service import Service

MAX_PROBLEMS = 100


def create_app(service: Service) -> FastAPI:
    """Every route, documented. The middleware in front of it has checked the key, and size and type of the body."""
    scorer = service.model.scorer
    app = FastAPI(
        title="Churn prediction",
        version=scorer.model_version,
        description=f"Send the header `{KEY_HEADER}`; only a server on 127.0.0.1 needs none.",
        redoc_url=None,
    )

    @app.post("/predict", response_model=list[Prediction], responses=PROBLEMS)
    async def predict(request: Request, body: Annotated[Body, RequestBody()]) -> Response:
        """Scores one customer, or a list of up to 1,000; responds in the same order.

        A customer is given as the contract's features, or as an order history, from which they are computed.
        """
        to_score = read(body, service.current_day(), scorer.horizon_days, service.time_zone)
        _, texts = await service.predict(to_score, request.scope["notes"])
        return Response(b"[" + b",".join(texts) + b"]", media_type="application/json")

    @app.post("/snowflake", response_model=ExternalResponse, responses=PROBLEMS)
    async def snowflake(request: Request, body: ExternalBatch) -> Response:
        """Scores a batch of a Snowflake external function. A row that cannot be scored gets a reason, not a number."""
        batch = read_batch(body.data, request.headers.get(BATCH_ID_HEADER, ""), service.current_day())
        notes = request.scope["notes"]
        notes.refused_rows = len(batch.problems)
        responses, _ = await service.predict(batch.to_score, notes) if batch.to_score else ([], [])
        return Response(write_batch(batch, responses), media_type="application/json")

    @app.get("/health")
    async def health() -> Health:
        """Whether the model is loaded, and which."""
        return Health(status="ok", model_version=scorer.model_version, refused_models=list(service.model.refused))

    @app.get("/model", responses={401: PROBLEMS[401], 503: PROBLEMS[503]})
    async def model_card() -> dict[str, Any]:
        """What the model was trained on, its quality on held-out dates, and its limits."""
        return dict(service.model.card)

    _explain_refusals(app)
    app.openapi_schema = _with_keys(app.openapi())
    return app


def _explain_refusals(app: FastAPI) -> None:
    @app.exception_handler(RequestValidationError)
    async def fields_do_not_fit(_: Request, error: RequestValidationError) -> JSONResponse:
        """Returns field and reason, not the values, which may be personal or NaN."""
        problems = [_describe(problem) for problem in error.errors()]
        if len(problems) > MAX_PROBLEMS:
            rest = f"and {len(problems) - MAX_PROBLEMS} more problems"
            problems[MAX_PROBLEMS:] = [{"loc": ["body"], "msg": rest, "type": "more"}]
        return JSONResponse({"detail": problems}, 422)

    @app.exception_handler(Refused)
    async def refused(_: Request, error: Refused) -> JSONResponse:
        return JSONResponse({"detail": [{"loc": error.where, "msg": error.why, "type": "refused"}]}, 422)

    @app.exception_handler(NotStored)
    async def not_stored(_: Request, __: NotStored) -> Response:
        return Response(NOT_STORED, 503, media_type="application/json")

    @app.exception_handler(HTTPException)
    async def http_error(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"detail": str(error.detail)}, error.status_code, error.headers)

    @app.exception_handler(Exception)
    async def failed(request: Request, _: Exception) -> Response:
        return Response(internal_error(request.scope["notes"].request_id), 500, media_type="application/json")


def _describe(problem: dict[str, Any]) -> dict[str, Any]:
    where, why = without_tags(problem["loc"]), problem["msg"]
    if problem["type"] == "json_invalid":  # the position is of a character, which looks like a customer's
        where, why = where[:1], f"{why} at character {where[-1]}"
    return {"loc": where, "msg": why, "type": problem["type"]}


def _with_keys(openapi: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with the API key that most routes require."""
    openapi["components"]["securitySchemes"] = {"key": {"type": "apiKey", "in": "header", "name": KEY_HEADER}}
    for path in ("/predict", "/snowflake", "/model"):
        for operation in openapi["paths"][path].values():
            operation["security"] = [{"key": []}]
    return openapi
