"""`make serve` next to other model servers: the same customers with named features, each server on one core.

The others answer with the model's bare figures; ours with reasons in words and an id, and with its predictions stored.
All get a thousand customers as a list of objects, but for MLServer, whose protocol takes columns alone: a list of
numbers for each feature, without customers' ids. Columns are a fifth as long. So ours is measured with both, and its
columns next to MLServer's are like for like: `POST /predict/columns` has the same figures, and the ids. MLServer still
has the lighter job: it checks no ranges, and answers with two figures for each customer.

Files of stored predictions are removed once they are full, as a merge does; merging is not measured here. Left there,
they would take gigabytes of memory that a virtual machine has not used before: to get that from its host, page by
page, takes an eighth of a batch's time.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from flows.adapters.files.outbox import held
from flows.commands.serve import repeating
from flows.settings import REPOSITORY, SHIPPED_MODELS
from functions.churn_api.contract import FEATURE_NAMES
from functions.churn_api.scorer import Scorer
from tests.benchmarks.load import Load, load, post_request
from tests.benchmarks.measured import Figure
from tests.running.processes import free_port, wait_for_port
from tests.running.serving import by_columns, customer

PEERS = Path(sys.prefix) / "peers" / "bin"
HERE = Path(__file__).with_name("peers")
CORES = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else [0]
SECONDS, ROUNDS, CONNECTIONS, BATCH_CONNECTIONS = 2.0, 3, 16, 2

_TRAIN = """
import sys, joblib, numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
random = np.random.default_rng(0)
rows = random.gamma(1, 50, (20_000, int(sys.argv[2])))
left = rows[:, 0] / (rows[:, 1] + 50) + random.normal(0, 0.5, len(rows)) > 0.6
joblib.dump(HistGradientBoostingClassifier(max_iter=200, early_stopping=False).fit(rows, left), sys.argv[1])
"""


@dataclass(frozen=True)
class Server:
    name: str
    command: Sequence[str]
    path: str
    one: bytes
    batch: bytes
    environment: dict[str, str]
    columns: bytes | None = None  # the batch by columns, where the server takes both


@dataclass(frozen=True)
class Measured:
    one: Load
    batch: Load
    columns: Load | None
    megabytes: float


def measure(folder: Path) -> Iterator[Figure]:
    if not (PEERS / "python").exists():
        yield Figure("serving", "not measured", "its peers are installed by `make bench`")
        return
    measured = _measure_all(list(_servers(folder)), folder)
    ours, bare = measured.pop("ours"), measured.pop("bare")
    limit_one, limit_batch = _in_one_process(1), _in_one_process(1000)
    # the last one's goal was 50 while two threads of scikit-learn shared a core; with one, as here, it is more than
    # twice as fast
    wanted = {"LitServe": 8, "BentoML": 12, "FastAPI and scikit-learn": 8}
    for name, peer in measured.items():
        ratio = ours.one.per_second / peer.one.per_second
        yield Figure(
            f"`/predict`, one customer, one core, 16 connections: next to {name}",
            f"{ours.one.per_second:,.0f}/s, p50 {ours.one.p50_ms:.1f} ms, p99 {ours.one.p99_ms:.1f} ms",
            f"{peer.one.per_second:,.0f}/s, p50 {peer.one.p50_ms:.1f} ms, p99 {peer.one.p99_ms:.1f} ms: {ratio:.1f} ×",
            f"≥ {wanted.get(name, 1)} ×",
            ratio >= wanted.get(name, 1),
        )
    yield Figure(
        "… the physical limit: JSON and ONNX Runtime in one process, no HTTP, one at a time",
        f"{limit_one:,.0f}/s",
        f"ours, many at a time: {ours.one.per_second / limit_one:.2f} ×",
    )
    for name, peer in measured.items():
        ratio = ours.batch.per_second / peer.batch.per_second
        yield Figure(
            f"`/predict`, batches of 1,000 as a list: next to {name}{', by columns' * (name == 'MLServer')}",
            f"{ours.batch.per_second:.0f}/s",
            f"{peer.batch.per_second:.0f}/s: {ratio:.2f} ×",
            "ahead",
            ratio > 1,
        )
    assert ours.columns is not None
    ratio = ours.columns.per_second / measured["MLServer"].batch.per_second
    yield Figure(
        "`/predict/columns`, batches of 1,000: next to MLServer, by columns",
        f"{ours.columns.per_second:.0f}/s",
        f"{measured['MLServer'].batch.per_second:.0f}/s: {ratio:.2f} ×",
        "≥ 1.2 ×",
        ratio >= 1.2,
    )
    yield Figure(
        "… without reasons, ids and storing",
        f"{bare.batch.per_second:.0f}/s",
        f"in one process, no HTTP: {limit_batch:.0f}/s; MLServer {measured['MLServer'].batch.per_second:.0f}/s",
        "≥ 1.2 × MLServer",
        bare.batch.per_second >= 1.2 * measured["MLServer"].batch.per_second,
    )
    yield Figure(
        "memory of the server after that",
        f"{ours.megabytes:.0f} MB",
        ", ".join(f"{name} {peer.megabytes:.0f}" for name, peer in measured.items()),
    )


def _servers(folder: Path) -> Iterator[Server]:
    version = json.loads((SHIPPED_MODELS / "champion.json").read_text())["model_version"]
    shutil.copyfile(SHIPPED_MODELS / version / "model.onnx", folder / "model.onnx")
    (folder / "names.json").write_text(json.dumps(FEATURE_NAMES))
    subprocess.run([PEERS / "python", "-c", _TRAIN, folder / "model.joblib", str(len(FEATURE_NAMES))], check=True)
    settings = {
        "name": "churn",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": str(folder / "model.joblib"), "version": "v1"},
    }
    (folder / "mlserver").mkdir()
    (folder / "mlserver" / "model-settings.json").write_text(json.dumps(settings))

    def rows(n: int) -> list[dict[str, object]]:
        return [customer(f"C{i}", recency_days=i % 400, monetary=round(0.97 * (i + 1), 2)) for i in range(n)]

    def body(content: object) -> bytes:
        return json.dumps(content).encode()

    def columns(n: int) -> bytes:
        given = by_columns(rows(n))
        inputs = [
            {"name": name, "shape": [n], "datatype": "FP64", "data": list(map(float, given[name]))}
            for name in FEATURE_NAMES
        ]
        return body({"parameters": {"content_type": "pd"}, "inputs": inputs, "outputs": [{"name": "predict_proba"}]})

    python, ours, here = str(PEERS / "python"), sys.executable, str(folder)
    one, batch = body(rows(1)[0]), body(rows(1000))
    named = body({"customers": rows(1)}), body({"customers": rows(1000)})
    bento = {"CHURN_FOLDER": here, "BENTOML_DO_NOT_TRACK": "true", "PYTHONPATH": str(HERE)}
    mlserver = {
        "MLSERVER_HTTP_PORT": "{port}",
        "MLSERVER_GRPC_PORT": str(free_port()),
        "MLSERVER_METRICS_PORT": str(free_port()),
        "MLSERVER_PARALLEL_WORKERS": "0",
    }
    # fmt: off
    yield Server("ours", (ours, "-m", "flows", "serve"), "/predict", one, batch,
                 {"PORT": "{port}", "DATA_DIR": str(folder / "data")}, body(by_columns(rows(1000))))
    yield Server("bare", (ours, "-m", "tests.benchmarks.peers.bare", "{port}"), "/predict", one, batch, {})
    yield Server("LitServe", (python, str(HERE / "litserve_onnx.py"), "{port}", here), "/predict", *named, {})
    yield Server("BentoML", (str(PEERS / "bentoml"), "serve", "bentoml_onnx:Churn", "--port", "{port}"), "/predict",
                 *named, bento)
    yield Server("MLServer", (str(PEERS / "mlserver"), "start", str(folder / "mlserver")),
                 "/v2/models/churn/infer", columns(1), columns(1000), mlserver)
    yield Server("FastAPI and scikit-learn", (python, str(HERE / "plain_fastapi.py"), "{port}", here), "/predict",
                 body(rows(1)), batch, {})
    # fmt: on


def _measure_all(servers: Sequence[Server], folder: Path) -> dict[str, Measured]:
    """The best of several rounds each: this machine's speed changes from one minute to the next."""
    with ExitStack() as running:
        running.enter_context(repeating(partial(_remove_full_files, folder / "data" / "outbox"), 0.05, "full files"))
        started = [(server, *running.enter_context(_running(server, folder))) for server in servers]
        for server, process, port in started:
            _until_it_answers(port, post_request(server.path, server.one), process)
        loads: dict[tuple[str, str], list[Load]] = defaultdict(list)
        for _ in range(ROUNDS):
            for server, _, port in started:
                one, batch = post_request(server.path, server.one), post_request(server.path, server.batch)
                loads[server.name, "one"].append(load(port, one, CONNECTIONS, SECONDS))
                loads[server.name, "batch"].append(load(port, batch, BATCH_CONNECTIONS, SECONDS))
                if server.columns is not None:
                    columns = post_request(f"{server.path}/columns", server.columns)
                    loads[server.name, "columns"].append(load(port, columns, BATCH_CONNECTIONS, SECONDS))
        best = {of: max(found, key=lambda load: load.per_second) for of, found in loads.items()}
        return {
            server.name: Measured(
                best[server.name, "one"],
                best[server.name, "batch"],
                best.get((server.name, "columns")),
                sum(map(_megabytes, _family(process.pid))),
            )
            for server, process, _ in started
        }


def _remove_full_files(outbox: Path) -> None:
    """Removes the files that the server has left for a merge."""
    for path in outbox.glob("*/*.jsonl"):
        with held(path) as file:
            if file is not None:
                path.unlink()


@contextmanager
def _running(server: Server, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The server on the first core, with the load on the others."""
    port = free_port()
    command = [part.replace("{port}", str(port)) for part in server.command]
    environment = {name: value.replace("{port}", str(port)) for name, value in server.environment.items()}
    with open(folder / f"{server.name}.log", "wb") as log:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, env={**os.environ, **environment}, stdout=log, stderr=log,
            preexec_fn=lambda: os.sched_setaffinity(0, CORES[:1]),
        )  # fmt: skip
    os.sched_setaffinity(0, CORES[1:] or CORES)
    try:
        wait_for_port(port, process)
        yield process, port
    finally:
        os.sched_setaffinity(0, CORES)
        for pid in _family(process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def _until_it_answers(port: int, request: bytes, process: subprocess.Popen[bytes]) -> None:
    """Some listen before they have loaded their model."""
    until = time.monotonic() + 60
    while True:
        try:
            load(port, request, 1, 0.2)
            return
        except (RuntimeError, OSError, IndexError):
            if process.poll() is not None or time.monotonic() > until:
                raise


def _family(pid: int) -> list[int]:
    """A process and all that it has started, whatever session they are in."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    if not children.exists():
        return [pid]
    return [pid, *(member for child in children.read_text().split() for member in _family(int(child)))]


def _megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024 if "VmRSS:" in status else 0.0


def _in_one_process(customers: int) -> float:
    """Requests a second of nothing but json, numpy and ONNX Runtime."""
    folder = SHIPPED_MODELS / json.loads((SHIPPED_MODELS / "champion.json").read_text())["model_version"]
    scorer = Scorer.load(folder / "model.onnx")
    body = json.dumps([customer(f"C{i}", recency_days=i % 400) for i in range(customers)])
    start, done = time.perf_counter(), 0
    while time.perf_counter() < start + 2:
        rows = [[row["features"][name] for name in FEATURE_NAMES] for row in json.loads(body)]
        figures = scorer.run(np.array(rows, dtype=float), np.full(len(rows), 180))
        json.dumps([figure.tolist() for figure in figures])
        done += 1
    return done / (time.perf_counter() - start)
