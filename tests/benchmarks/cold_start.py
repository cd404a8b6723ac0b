"""A cold start and a warm call of the packaged API, by Lambda's runtime client, next to an empty handler and the same
app packaged plainly: `pip --target`, no byte code, FastAPI built at start."""

import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flows.adapters.models.lambda_package import PLATFORMS, build_package
from flows.adapters.models.registry import ModelRegistry
from flows.settings import REPOSITORY, SHIPPED_MODELS
from tests.benchmarks.measured import Figure
from tests.running.serving import customer
from tests.stand_ins.lambda_runtime import (
    ARCHITECTURE,
    Sandbox,
    http_api_event,
    install_runtime_client,
    lambda_python,
    unpack,
)

STARTS, CALLS = 7, 400
KEY = "k" * 32
SETTINGS = {"API_KEYS": json.dumps({"bench": KEY}), "QUEUE_URL": "http://127.0.0.1:9/q", "LOG_LEVEL": "WARNING"}

EMPTY = "def handler(event, context):\n    return {'statusCode': 200, 'body': 'ok'}\n"
# the packaged app without its queue: what SQS takes is not ours to measure
OURS = """
from functions.churn_api import lambda_handler
from functions.churn_api.sqs_queue import SqsQueue
SqsQueue.put = lambda *_: None
handler = lambda_handler.handler
"""
PLAIN = (
    OURS
    + """
from functions.churn_api.app import create_app
lambda_handler.app.app = create_app(lambda_handler.app.app.service)
"""
)


# the CPU time of each module's own body, by package; of our handler's it is making the session of the model
PARTS = """
import collections, importlib.machinery as machinery, json, sys, time
own, inner = collections.Counter(), []
def timed(load):
    def exec_module(self, module):
        begun, _ = time.process_time(), inner.append(0.0)
        try:
            return load(self, module)
        finally:
            took, within = time.process_time() - begun, inner.pop()
            first, *rest = module.__name__.split(".")
            if first == "functions":
                first = "the handler" if "lambda_handler" in rest else "our modules"
            own[first] += took - within
            if inner:
                inner[-1] += took
    return exec_module
for loader in (machinery.SourceFileLoader, machinery.SourcelessFileLoader, machinery.ExtensionFileLoader):
    loader.exec_module = timed(loader.exec_module)
begun = time.process_time()
import functions.churn_api.lambda_handler
print(json.dumps([time.process_time() - begun, own.most_common(6)]))
"""


@dataclass(frozen=True)
class Measured:
    start_ms: float
    p50_ms: float
    p99_ms: float
    megabytes: float


def measure(folder: Path) -> Iterator[Figure]:
    python, version = lambda_python()
    runtime = install_runtime_client(folder / "runtime", version)
    model = ModelRegistry(str(SHIPPED_MODELS), SHIPPED_MODELS).champion()
    assert model is not None
    package = build_package("churn_api", ARCHITECTURE, model, folder / "dist", python, version)
    task = unpack(package.file, folder / "ours" / "task")
    (task / "bench.py").write_text(OURS)
    plain = _plain(folder / "plain" / "task", version, task)
    empty = folder / "empty" / "task"
    empty.mkdir(parents=True)
    (empty / "bench.py").write_text(EMPTY)

    floor, ours, other = (_measure(python, runtime, place) for place in (empty, task, plain))
    yield Figure(
        f"cold start on Lambda's runtime client, Python {version}: process start to the first request for work",
        f"{ours.start_ms:.0f} ms",
        f"packaged plainly {other.start_ms:.0f} ms: {ours.start_ms / other.start_ms:.2f} ×;"
        f" empty handler {floor.start_ms:.0f} ms: {ours.start_ms / floor.start_ms:.1f} ×",
        "≤ 0.35 × plain (0.25 as the stretch)",
        ours.start_ms <= 0.35 * other.start_ms,
    )
    seconds, parts = _parts(python, task)
    yield Figure(
        "… where the CPU time of its imports goes",
        ", ".join(f"{name} {took * 1000:.0f} ms" for name, took in parts),
        f"of {seconds * 1000:.0f} ms",
    )
    yield Figure(
        "… warm call, one customer, p50",
        f"{ours.p50_ms:.2f} ms",
        f"packaged plainly {other.p50_ms:.2f}; empty handler {floor.p50_ms:.2f}: {ours.p50_ms / floor.p50_ms:.1f} ×",
        "≤ 3.5 × empty",
        ours.p50_ms <= 3.5 * floor.p50_ms,
    )
    yield Figure(
        "… warm call, p99",
        f"{ours.p99_ms:.2f} ms",
        f"p50 {ours.p50_ms:.2f}",
        "≤ 3 × p50",
        ours.p99_ms <= 3 * ours.p50_ms,
    )
    yield Figure(
        "… memory",
        f"{ours.megabytes:.0f} MB",
        f"packaged plainly {other.megabytes:.0f}",
        "≤ 90 MB",
        ours.megabytes <= 90,
    )
    yield Figure(
        "… zip", f"{package.zipped_bytes / 1e6:.1f} MB, unpacked {package.unpacked_bytes / 1e6:.1f} MB",
        f"packaged plainly {sum(f.stat().st_size for f in plain.rglob('*') if f.is_file()) / 1e6:.0f} MB unpacked",
        "≤ 35 MB, ≤ 100 MB", package.zipped_bytes <= 35e6 and package.unpacked_bytes <= 100e6,
    )  # fmt: skip


def _plain(place: Path, version: str, task: Path) -> Path:
    subprocess.run(
        [
            *(Path(sys.executable).with_name("uv"), "pip", "install", "-q", "--target", place),
            *("--python-platform", PLATFORMS[ARCHITECTURE], "--python-version", version, "--only-binary", ":all:"),
            *("--require-hashes", "-r", REPOSITORY / "requirements" / "api.txt"),
        ],
        check=True,
    )
    shutil.copytree(REPOSITORY / "functions", place / "functions", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(task / "model_artifacts", place / "model_artifacts")
    (place / "bench.py").write_text(PLAIN)
    return place


def _parts(python: Path, task: Path) -> tuple[float, list[tuple[str, float]]]:
    """CPU seconds of importing the handler, and of its largest parts: each the least of several starts."""
    settings = {"PYTHONPATH": str(task), "PYTHONDONTWRITEBYTECODE": "1", "AWS_REGION": "eu-central-1", **SETTINGS}
    starts = []
    for _ in range(STARTS):
        output = subprocess.run(
            [python, "-c", PARTS], cwd=task, env=settings, capture_output=True, text=True, check=True
        ).stdout
        starts.append(json.loads(output))
    least: list[tuple[str, float]] = min(starts)[1]
    return min(starts)[0], least


def _measure(python: Path, runtime: Path, task: Path) -> Measured:
    event = http_api_event("POST", "/predict", customer(), {"x-api-key": KEY})
    starts, calls, megabytes = [], [], 0.0
    for number in range(STARTS):
        begin = time.perf_counter()
        # as on Lambda, nothing can be written next to the code
        with Sandbox(python, runtime, task, "bench.handler", SETTINGS | {"PYTHONDONTWRITEBYTECODE": "1"}) as function:
            starts.append(function.asked_for_work() - begin)
            if number:
                continue
            for _ in range(CALLS):
                begin_call = time.perf_counter()
                response = function.invoke(event)
                calls.append(time.perf_counter() - begin_call)
                assert response.answer["statusCode"] == 200, response
            status = Path(f"/proc/{function.process.pid}/status").read_text()
            megabytes = int(status.split("VmHWM:")[1].split()[0]) / 1024
    calls = sorted(calls[CALLS // 10 :])
    return Measured(
        statistics.median(starts) * 1000,
        statistics.median(calls) * 1000,
        calls[int(len(calls) * 0.99)] * 1000,
        megabytes,
    )
