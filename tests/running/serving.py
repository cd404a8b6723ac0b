"""What tests of the API share: an example customer, a queue in memory, a service over the shipped model."""

import json
import re
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import onnx
import uvicorn
from fastapi.testclient import TestClient

from flows.settings import SHIPPED_MODELS
from functions.churn_api.access import Access
from functions.churn_api.champion import LiveModel, ModelFolder
from functions.churn_api.contract import FEATURES
from functions.churn_api.fast_path import create_api
from functions.churn_api.predictor import NotStored
from functions.churn_api.service import Service
from functions.churn_api.sqs_queue import SqsQueue
from functions.prediction_messages import messages
from functions.prediction_sink.message_reader import read_message

NOW = datetime(2026, 7, 1, 9, 30, tzinfo=UTC)
TODAY = "2026-07-01"
EXAMPLE = {name: feature.example for name, feature in FEATURES.items()}
ORDERS = [{"ordered_at": "2026-05-01T10:00:00", "amount": 40}, {"ordered_at": "2026-06-01", "amount": 25.5}]


def customer(customer_id="C1", **features):
    """The example with other figures, and what these change."""
    return {"customer_id": customer_id, "features": EXAMPLE | _what_follows(EXAMPLE | features) | features}


def by_columns(customers):
    """Customers given as features, all with the same fields, as `POST /predict/columns` takes them."""
    rows = [{**one, **one["features"]} for one in customers]
    return {name: [row[name] for row in rows] for name in rows[0] if name != "features"}


def _what_follows(known):
    """Figures that fit a changed frequency, money and recency."""
    if not all(type(known[name]) in (int, float) for name in ("monetary", "frequency", "recency_days", "tenure_days")):
        return {}
    recency, most = known["recency_days"], {"purchases_last": known["frequency"], "spend_last": known["monetary"]}
    tenure = max(known["tenure_days"], recency)
    days = [name for name in EXAMPLE if name.startswith("days_since") and "purchase" in name]
    return {
        "average_order_value": known["monetary"] / max(known["frequency"], 1),
        "tenure_days": tenure,
        **{name: min(max(EXAMPLE[name], recency), tenure) for name in days},
        **{name: min(EXAMPLE[name], known["frequency"]) for name in EXAMPLE if name.startswith("decayed_purchases")},
        **{name: min(EXAMPLE[name], tenure) for name in ("mean_gap_days", "median_gap_days", "max_gap_days")},
        **{
            name: min(max(EXAMPLE[name], 1), limit) if recency < int(re.search(r"\d+", name)[0]) else 0
            for part, limit in most.items()
            for name in EXAMPLE
            if name.startswith(part)
        },
    }


class LocalClient(TestClient):
    """A client on the machine of the server."""

    def __init__(self, app, **settings):
        super().__init__(app, base_url="http://127.0.0.1", **settings)


class MemoryQueue:
    """Keeps messages in a list; `down`: refuses them."""

    together = SqsQueue.together

    def __init__(self):
        self.messages, self.down = [], False

    def put(self, source, scored_at, answers):
        if self.down:
            raise NotStored("the queue is down")
        self.messages += messages(source, scored_at, answers)

    @property
    def records(self):
        """The rows that a sink would read."""
        rows = []
        for message in self.messages:
            good, problems = read_message(message)
            assert problems == []
            rows += good
        return rows


def renamed_model(version, horizon_days=90):
    """The shipped model under another name and with another horizon."""
    shipped = json.loads((SHIPPED_MODELS / "champion.json").read_text())["model_version"]
    model = onnx.load(SHIPPED_MODELS / shipped / "model.onnx")
    changed = {"model_version": version, "horizon_days": str(horizon_days)}
    for entry in model.metadata_props:
        entry.value = changed.get(entry.key, entry.value)
    return model.SerializeToString()


def service(queue=None, access=None, live=None, **settings):
    defaults = {"clock": lambda: NOW, "time_zone": UTC}
    live = live or LiveModel.load([ModelFolder(str(SHIPPED_MODELS))])
    return Service(live=live, queue=queue or MemoryQueue(), access=access or Access(None), **(defaults | settings))


@contextmanager
def api_on_loopback(places, queue=None, **settings):
    """The URL of the API in a thread of this process, with the champion of these registries or folders."""
    api = Service(LiveModel.load(places), queue or MemoryQueue(), Access(None), lambda: datetime.now(UTC), UTC)
    config = uvicorn.Config(create_api(api), host="127.0.0.1", port=0, log_level="error", lifespan="off", **settings)
    server = uvicorn.Server(config)
    listening = config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
