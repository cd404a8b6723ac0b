"""The heaviest bodies that the API's limits allow, and some that they do not: what each costs `make serve`, and how
long `/health` waits meanwhile."""

import http.client
import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.measured import Figure
from tests.running.heavy_bodies import heavy_bodies
from tests.running.processes import flows, free_port, read_until

MAX_CPU_SECONDS, MAX_MEGABYTES, MAX_HEALTH_SECONDS = 1.0, 200.0, 0.1


@dataclass(frozen=True)
class Cost:
    status: int
    cpu_seconds: float
    megabytes: float
    health_seconds: float


def measure(folder: Path) -> Iterator[Figure]:
    if sys.platform != "linux":
        yield Figure("heavy bodies", "not measured", "memory is read from /proc")
        return
    for name, (path, body) in heavy_bodies().items():
        cost = cost_of(path, body, folder)
        yield Figure(
            f"`{path}`: {name} ({len(body) / 1e6:.1f} MB)",
            f"{cost.status}, {cost.cpu_seconds:.2f} s of CPU, +{cost.megabytes:.0f} MB",
            f"`/health` meanwhile: at most {cost.health_seconds * 1000:.0f} ms",
            f"≤ {MAX_CPU_SECONDS:.0f} s, {MAX_MEGABYTES:.0f} MB, {MAX_HEALTH_SECONDS * 1000:.0f} ms",
            cost.cpu_seconds <= MAX_CPU_SECONDS
            and cost.megabytes <= MAX_MEGABYTES
            and cost.health_seconds <= MAX_HEALTH_SECONDS,
        )


def cost_of(path: str, body: bytes, folder: Path) -> Cost:
    """What one body costs a fresh server."""
    port = free_port()
    with flows("serve", folder, PORT=str(port)) as server:
        read_until(server, "serving")
        _ask(port, "GET", "/openapi.json")
        before, resting, _ = _used(server.pid)
        Path(f"/proc/{server.pid}/clear_refs").write_text("5")  # the peak counts from here
        over = threading.Event()
        waits: list[float] = []
        watcher = threading.Thread(target=_watch_health, args=(port, over, waits))
        watcher.start()
        status = _ask(port, "POST", path, body)
        over.set()
        watcher.join()
        after, _, peak = _used(server.pid)
    return Cost(status, after - before, peak - resting, max(waits))


def _ask(port: int, method: str, path: str, body: bytes | None = None) -> int:
    for _ in range(100):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        try:
            connection.request(method, path, body, {"content-type": "application/json"} if body else {})
            response = connection.getresponse()
            response.read()
            return response.status
        except ConnectionRefusedError:  # it has not begun to listen
            time.sleep(0.05)
        finally:
            connection.close()
    raise RuntimeError("the server does not listen")


def _watch_health(port: int, over: threading.Event, waits: list[float]) -> None:
    while True:
        begun = time.perf_counter()
        _ask(port, "GET", "/health")
        waits.append(time.perf_counter() - begun)
        if over.wait(0.01):
            return


def _used(pid: int) -> tuple[float, float, float]:
    """CPU seconds so far, memory now and at its peak in MB."""
    times = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    status = Path(f"/proc/{pid}/status").read_text()
    now, peak = (int(status.split(f"{name}:")[1].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK"), now, peak
