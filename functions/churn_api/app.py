"""Every route of the API, documented: churn probabilities over HTTP."""

from collections.abc import Callable
from functools import partial

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from functions.churn_api.access import KEY_HEADER
from functions.churn_api.csv_form import write_csv
from functions.churn_api.customers import Reading, read, read_columns
from functions.churn_api.docs_page import add_docs
from functions.churn_api.documents import (
    OF_EVERY_BODY,
    OF_EVERY_KEY,
    ExternalResponse,
    Health,
    ModelCard,
    Prediction,
    Ready,
    refusals,
)
from functions.churn_api.external_function import BATCH_ID_HEADER, read_batch, write_batch
from functions.churn_api.job_routes import add_jobs
from functions.churn_api.middleware import COLUMNS_PATH, internal_error
from functions.churn_api.openapi import API_VERSION, describe
from functions.churn_api.predictions import PredictionRequest, joined
from functions.churn_api.problems import MEDIA_TYPE, Refused
from functions.churn_api.request_body import CSV, JSON
from functions.churn_api.service import Service


def create_app(service: Service) -> FastAPI:
    """Every route, documented. The middleware in front of it has checked the key, and size and type of the body."""
    app = FastAPI(
        title="Churn prediction",
        version=API_VERSION,
        description=f"Send the header `{KEY_HEADER}`; only a server on 127.0.0.1 needs none."
        " A body has at most 6 MB, also unpacked.",
        docs_url=None,
        redoc_url=None,
    )

    # bodies are read without FastAPI, which would validate all of a body that has too much in it
    @app.post(
        "/predict",
        operation_id="predict",
        tags=["predictions"],
        response_model=list[Prediction],
        responses=refusals(*OF_EVERY_KEY, *OF_EVERY_BODY),
    )
    async def predict(request: Request) -> Response:
        """Scores a list of up to 1,000 customers; responds in the same order.

        A customer is given as the contract's features, or as an order history, from which they are computed: up to
        1,000 order lines each and 20,000 in all. Also CSV (`text/csv`) with the fields as columns, an order line a row;
        and CSV back with `Accept: text/csv`. A body may be gzipped.
        """
        return await scored(request, read)

    @app.post(
        COLUMNS_PATH,
        operation_id="predict_columns",
        tags=["predictions"],
        response_model=list[Prediction],
        responses=refusals(*OF_EVERY_KEY, *OF_EVERY_BODY),
    )
    async def predict_columns(request: Request) -> Response:
        """Scores up to 1,000 customers given as features by columns, as a data frame has them; responds like
        `/predict`, in the order of the values.

        Each column is a list with a value for each customer. A fifth as long as a list of customers, and faster.
        """
        return await scored(request, read_columns)

    async def scored(request: Request, reader: Callable[[bytes, Reading], PredictionRequest]) -> Response:
        predictor, scope = service.predictor, request.scope
        reading = Reading(
            service.current_day(), predictor.scorer.horizon_days, service.time_zone,
            is_csv=scope["body_type"] == CSV, takes_one=not scope["is_versioned"],
        )  # fmt: skip
        to_score = await service.read(scope["body"], lambda body: reader(body, reading))
        responses, lists = await service.predict(predictor, to_score, scope["notes"])
        if to_score.histories:
            lists = await service.show_next(to_score, responses)
        if scope["answer_type"] == CSV:
            return Response(write_csv(responses), media_type=CSV)
        return Response(joined(lists), media_type=JSON)

    @app.post(
        "/snowflake",
        operation_id="predict_batch",
        tags=["predictions"],
        response_model=ExternalResponse,
        responses=refusals(*OF_EVERY_KEY, *OF_EVERY_BODY),
    )
    async def snowflake(request: Request) -> Response:
        """Scores a batch of a Snowflake external function, up to 5,000 rows, and no more than have an answer of 6 MB. A
        row that cannot be scored gets a reason, not a number."""
        batch_id = request.headers.get(BATCH_ID_HEADER, "")
        reader = partial(read_batch, batch_id=batch_id, today=service.current_day())
        batch = await service.read(request.scope["body"], reader)
        notes = request.scope["notes"]
        notes.refused_rows = len(batch.problems)
        responses, _ = await service.predict(service.predictor, batch.to_score, notes) if batch.to_score else ([], [])
        return Response(write_batch(batch, responses), media_type=JSON)

    @app.get("/health", operation_id="health", tags=["service"], responses=refusals(400))
    async def health() -> Health:
        """Which model serves, and which should."""
        model = service.model
        return Health(
            status="ok", model_version=model.version, champion=model.champion, refused_models=list(model.refused)
        )

    @app.get("/ready", operation_id="ready", tags=["service"], responses=refusals(400, 503))
    async def ready() -> Ready:
        """Whether requests can be answered and predictions stored now; /health is about the process alone."""
        found = service.not_ready()
        if found:
            errors = [{"pointer": "", "detail": problem, "code": name} for name, problem in found.items()]
            why = "; ".join(f"{name}: {problem}" for name, problem in found.items())
            raise Refused("not_ready", why, (b"retry-after", b"5"), errors=errors)
        return Ready(status="ready")

    if service.metrics is not None:
        metrics = service.metrics

        @app.get("/metrics", include_in_schema=False)
        async def prometheus() -> Response:
            return Response(metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")

    if service.jobs is not None:
        add_jobs(app, service.jobs, service.base_path)

    @app.get(
        "/model",
        operation_id="model_card",
        tags=["service"],
        response_model=ModelCard,
        responses=refusals(400, *OF_EVERY_KEY),
    )
    async def model_card() -> JSONResponse:
        """What the model was trained on, its quality on held-out dates, and its limits."""
        return JSONResponse(dict(service.model.card))

    add_docs(app)
    _explain_refusals(app)
    app.openapi_schema = describe(app.openapi(), service.base_path)
    return app


def _explain_refusals(app: FastAPI) -> None:
    @app.exception_handler(Refused)
    async def refused(_: Request, problem: Refused) -> Response:
        headers = {name.decode(): value.decode() for name, value in problem.headers}
        return Response(problem.body(), problem.status, headers, MEDIA_TYPE)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        """An unknown path or a wrong method."""
        headers = {name.encode(): value.encode() for name, value in (error.headers or {}).items()}
        if error.status_code == 405:
            why = f"Send {error.headers['Allow']}." if error.headers else "Send another method."
            return await refused(request, Refused("method_not_allowed", why, *headers.items()))
        return await refused(request, Refused("not_found", "The paths are in /openapi.json."))

    @app.exception_handler(Exception)
    async def failed(request: Request, _: Exception) -> Response:
        return await refused(request, internal_error(request.scope["notes"].request_id))
