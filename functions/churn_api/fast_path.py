"""The API: the middleware, and behind it two ways to the same responses.

`POST /predict` for customers given as features, as a list or by columns, is most of the traffic. It is handled here,
without FastAPI, whose import alone would be most of a cold start. Invalid requests and every other route go to the app
that documents them all; it is built when it is first needed. A test sends both the same requests and finds the same
responses."""

from collections.abc import Callable
from dataclasses import dataclass, field

from functions.churn_api.asgi import App, Receive, Scope, Send, send_whole
from functions.churn_api.fast_reading import read_fast, read_fast_columns
from functions.churn_api.middleware import COLUMNS_PATH, RequestMiddleware
from functions.churn_api.predictions import PredictionRequest, joined
from functions.churn_api.request_body import JSON
from functions.churn_api.service import Service


def create_api(service: Service) -> RequestMiddleware:
    """The API as an ASGI app."""
    return RequestMiddleware(
        FastPath(service, _everything),
        service.access,
        lambda: service.model.version,
        service.clock,
        service.base_path,
        service.counts,
    )


def _everything(service: Service) -> App:
    from functions.churn_api.app import create_app

    return create_app(service)


@dataclass
class FastPath:
    """An ASGI app that handles the most frequent request itself and leaves the rest to the app that `everything`
    builds."""

    service: Service
    everything: Callable[[Service], App]
    _built: list[App] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in ("/predict", COLUMNS_PATH) and _is_json(scope):
            body, today = scope["body"], self.service.current_day()
            if scope["path"] == COLUMNS_PATH:
                to_score = read_fast_columns(body, today)
            else:
                to_score = read_fast(body, today, takes_one=not scope["is_versioned"])
            if to_score is not None:
                await self._predict(to_score, scope, send)
                return
        if not self._built:
            self._built.append(self.everything(self.service))
        await self._built[0](scope, receive, send)

    async def _predict(self, to_score: PredictionRequest, scope: Scope, send: Send) -> None:
        _, lists = await self.service.predict(self.service.predictor, to_score, scope["notes"])
        await send_whole(send, 200, joined(lists))


def _is_json(scope: Scope) -> bool:
    return bool(scope["method"] == "POST" and scope["body_type"] == scope["answer_type"] == JSON)
