"""Our own server, middleware and reader, answering with the model's bare figures: what reasons, ids and storing cost is
the rest.

Run in our own environment. usage: bare.py PORT
"""

import sys

import msgspec
import numpy as np

from flows.adapters import http_server
from functions.churn_api.asgi import send_whole
from functions.churn_api.fast_reading import read_fast
from functions.churn_api.middleware import RequestMiddleware
from functions.churn_api.scorer import day_of_year
from tests.running.serving import service


class Bare:
    def __init__(self, standing):
        self.service = standing

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            raise NotImplementedError
        to_score = read_fast(scope["body"], self.service.current_day())
        figures = self.service.model.scorer.run(
            to_score.features, np.array([day_of_year(day) for day in to_score.as_of])
        )
        await send_whole(send, 200, msgspec.json.encode([figure.tolist() for figure in figures]))


if __name__ == "__main__":
    standing = service()
    version = standing.model.scorer.model_version
    app = RequestMiddleware(Bare(standing), standing.access, lambda: version, standing.clock)
    http_server.run(app, "127.0.0.1", int(sys.argv[1]))
