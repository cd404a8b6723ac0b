"""Every route of the API, documented: churn probabilities over HTTP."""

from functools import partial
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from functions.churn_api.access import KEY_HEADER
from functions.churn_api.bodies import Unfit, Unreadable
from functions.churn_api.customers import read
from functions.churn_api.documents import PROBLEMS, ExternalResponse, Health, Prediction
from functions.churn_api.external_function import BATCH_ID_HEADER, read_batch, write_batch
from functions.churn_api.middleware import internal_error
from functions.churn_api.openapi import API_VERSION, describe
from functions.churn_api.predictor import NOT_STORED, NotStored
from functions.churn_api.service import Service


def create_app(service: Service) -> FastAPI:
    """Every route, documented. The middleware in front of it has checked the key, and size and type of the body."""
    scorer = service.model.scorer
    app = FastAPI(
        title="Churn prediction",
        version=API_VERSION,
        description=f"Send the header `{KEY_HEADER}`; only a server on 127.0.0.1 needs none.",
        redoc_url=None,
    )

    # bodies are read without FastAPI, which would validate all of a body that has too much in it
    @app.post(
        "/predict", operation_id="predict", tags=["predictions"], response_model=list[Prediction], responses=PROBLEMS
    )
    async def predict(request: Request) -> Response:
        """Scores a list of up to 1,000 customers; responds in the same order.

        A customer is given as the contract's features, or as an order history, from which they are computed: up to
        1,000 order lines each and 20,000 in all.
        """
        today, horizon_days, zone = service.current_day(), scorer.horizon_days, service.time_zone
        reader = partial(read, today=today, horizon_days=horizon_days, time_zone=zone)
        to_score = await service.read(await request.body(), reader)
        _, texts = await service.predict(to_score, request.scope["notes"])
        return Response(b"[" + b",".join(texts) + b"]", media_type="application/json")

    @app.post(
        "/snowflake",
        operation_id="predict_batch",
        tags=["predictions"],
        response_model=ExternalResponse,
        responses=PROBLEMS,
    )
    async def snowflake(request: Request) -> Response:
        """Scores a batch of a Snowflake external function, up to 5,000 rows. A row that cannot be scored gets a reason,
        not a number."""
        batch_id = request.headers.get(BATCH_ID_HEADER, "")
        reader = partial(read_batch, batch_id=batch_id, today=service.current_day())
        batch = await service.read(await request.body(), reader)
        notes = request.scope["notes"]
        notes.refused_rows = len(batch.problems)
        responses, _ = await service.predict(batch.to_score, notes) if batch.to_score else ([], [])
        return Response(write_batch(batch, responses), media_type="application/json")

    @app.get("/health", operation_id="health", tags=["service"])
    async def health() -> Health:
        """Whether the model is loaded, and which."""
        return Health(status="ok", model_version=scorer.model_version, refused_models=list(service.model.refused))

    @app.get(
        "/model",
        operation_id="model_card",
        tags=["service"],
        responses={status: PROBLEMS[status] for status in (401, 429, 503)},
    )
    async def model_card() -> dict[str, Any]:
        """What the model was trained on, its quality on held-out dates, and its limits."""
        return dict(service.model.card)

    _explain_refusals(app)
    app.openapi_schema = describe(app.openapi())
    return app


def _explain_refusals(app: FastAPI) -> None:
    @app.exception_handler(Unfit)
    async def does_not_fit(_: Request, error: Unfit) -> JSONResponse:
        """Returns field and reason, not the values, which may be personal or NaN."""
        return JSONResponse({"detail": error.problems}, 422)

    @app.exception_handler(Unreadable)
    async def unreadable(_: Request, __: Unreadable) -> JSONResponse:
        return JSONResponse({"detail": "There was an error parsing the body: send JSON in UTF-8."}, 400)

    @app.exception_handler(NotStored)
    async def not_stored(_: Request, __: NotStored) -> Response:
        return Response(NOT_STORED, 503, media_type="application/json")

    @app.exception_handler(HTTPException)
    async def http_error(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"detail": str(error.detail)}, error.status_code, error.headers)

    @app.exception_handler(Exception)
    async def failed(request: Request, _: Exception) -> Response:
        return Response(internal_error(request.scope["notes"].request_id), 500, media_type="application/json")
