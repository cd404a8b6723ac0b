"""`make serve` under half of the load that it can bear, while `make run` works on the same folder again and again, and
the server is restarted twice, by SIGTERM and by SIGKILL: what fails, what is lost, and what becomes of memory."""

import collections
import heapq
import json
import os
import selectors
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import duckdb

from tests.benchmarks.load import load, post_request
from tests.benchmarks.measured import Figure
from tests.running.processes import flows, free_port, wait_for_port
from tests.running.serving import customer

SECONDS, CUSTOMERS = 1_800.0, 2_000
CONNECTIONS, PROBE_SECONDS = 8, 5.0
# after a start, until memory is what it stays
WARM_UP_SHARE = 0.2


@dataclass
class Soaked:
    """`unanswered`: requests that a restart cut off, or that found nobody listening. `lost`: predictions with
    `stored: true` that are in no table. `megabytes`: of each server, at the end of its warm-up and at its end."""

    maximum_per_second: float = 0.0
    answered: int = 0
    statuses: collections.Counter[int] = field(default_factory=collections.Counter)
    unanswered: int = 0
    not_stored: int = 0
    runs: int = 0
    failed_runs: list[str] = field(default_factory=list)
    lost: int = 0
    megabytes: list[tuple[float, float]] = field(default_factory=list)
    p99_ms: float = 0.0

    @property
    def growth(self) -> float:
        """The largest of a server, 0.1 for 10 %."""
        return max(end / start - 1 for start, end in self.megabytes)


def measure(folder: Path) -> Iterator[Figure]:
    if sys.platform != "linux":
        yield Figure("soak", "not measured", "memory is read from /proc")
        return
    soaked = soak(folder, SECONDS, CUSTOMERS)
    failed = soaked.answered - soaked.statuses[200]
    yield Figure(
        f"{SECONDS / 60:.0f} minutes at half of {soaked.maximum_per_second:,.0f} requests a second, two restarts;"
        f" {soaked.runs} runs of {CUSTOMERS:,} customers meanwhile",
        f"{soaked.answered:,} answers, p99 {soaked.p99_ms:.0f} ms; other than 200: {failed}",
        f"cut off by restarts: {soaked.unanswered}; runs that failed: {len(soaked.failed_runs)}",
        "no error but those of restarts",
        not failed and not soaked.failed_runs,
    )
    yield Figure(
        "… predictions that were confirmed and are lost", f"{soaked.lost}",
        f"answered with `stored: false`: {soaked.not_stored}",
        "0", soaked.lost == 0,
    )  # fmt: skip
    yield Figure(
        "… memory of the three servers, after a fifth of their time and at their end",
        ", ".join(f"{start:.0f} → {end:.0f} MB" for start, end in soaked.megabytes),
        "", "≤ 10 % more", soaked.growth <= 0.1,
    )  # fmt: skip


def soak(folder: Path, seconds: float, customers: int) -> Soaked:
    """Serves and runs for so many seconds, with a run before and one after it, which merges the rest."""
    soaked, port = Soaked(), free_port()
    _run(folder, customers, 0, soaked)
    with flows("serve", folder, PORT=str(port)) as server:
        wait_for_port(port, server)
        request = post_request("/predict", json.dumps(customer("probe")).encode())
        soaked.maximum_per_second = load(port, request, CONNECTIONS, PROBE_SECONDS).per_second
    over = threading.Event()
    runs = threading.Thread(target=_run_again_and_again, args=(folder, customers, over, soaked))
    callers = Callers(port, soaked.maximum_per_second / 2, folder / "answered.csv", soaked)
    calling = threading.Thread(target=callers.call, args=(over,))
    with ExitStack() as started:
        for number, end in enumerate((signal.SIGTERM, signal.SIGKILL, signal.SIGTERM)):
            server = started.enter_context(flows("serve", folder, PORT=str(port)))
            wait_for_port(port, server)
            threading.Thread(target=server.stdout.read, daemon=True).start()  # type: ignore[union-attr]
            if not number:
                runs.start()
                calling.start()
            soaked.megabytes.append(_memory(server, seconds / 3))
            if number == 2:
                over.set()
                calling.join()
                runs.join()
            os.kill(server.pid, end)
            server.wait()
    _run(folder, customers, soaked.runs + 1, soaked)
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as con:
        [[soaked.lost]] = con.execute(
            f"""select count(*) from read_csv('{callers.file}', header = false, columns = {{'id': 'varchar'}})
            where id not in (select prediction_id from marts.churn_predictions)"""
        ).fetchall()
    return soaked


def _memory(server: "subprocess.Popen[str]", seconds: float) -> tuple[float, float]:
    """Megabytes of a server after its warm-up and at the end of these seconds: medians of a few samples."""
    begun, samples = time.monotonic(), list[float]()
    while time.monotonic() - begun < seconds:
        assert server.poll() is None, "the server has ended"
        status = Path(f"/proc/{server.pid}/status").read_text()
        samples.append(int(status.split("VmRSS:")[1].split()[0]) / 1024)
        time.sleep(min(1.0, seconds / 50))
    warm, some = int(len(samples) * WARM_UP_SHARE), max(len(samples) // 10, 1)
    return statistics.median(samples[warm : warm + some]), statistics.median(samples[-some:])


def _run_again_and_again(folder: Path, customers: int, over: threading.Event, soaked: Soaked) -> None:
    while not over.is_set():
        _run(folder, customers, soaked.runs + 1, soaked)
        soaked.runs += 1
        over.wait(3)  # in which the server merges


def _run(folder: Path, customers: int, number: int, soaked: Soaked) -> None:
    """Another as-of date each time, so that each run trains, and promotes or does not."""
    as_of = f"2026-0{1 + number % 6}-28"
    with flows("run", folder, CUSTOMERS=str(customers), AS_OF=as_of) as run:
        output, _ = run.communicate()
    if run.returncode:
        soaked.failed_runs.append(output[-2000:])


@dataclass
class Callers:
    """Connections that together send so many requests a second; each waits for its answer before its next request, and
    connects again after a restart. Ids that were answered with `stored: true` go to `file`, a line each."""

    port: int
    per_second: float
    file: Path
    soaked: Soaked
    _waits: list[float] = field(default_factory=list)

    def call(self, over: threading.Event) -> None:
        template = json.dumps(customer("CALLER"))
        every, number = CONNECTIONS / self.per_second, 0
        due = [(time.monotonic() + n * every / CONNECTIONS, n) for n in range(CONNECTIONS)]
        connections: dict[int, socket.socket] = {}
        asked: dict[int, tuple[float, bytes]] = {}
        selector = selectors.DefaultSelector()
        with open(self.file, "w", encoding="ascii") as answered:
            while not over.is_set() or asked:
                now = time.monotonic()
                while due and due[0][0] <= now and not over.is_set():
                    _, caller = heapq.heappop(due)
                    number += 1
                    body = template.replace("CALLER", f"C{number}").encode()
                    try:
                        if caller not in connections:
                            connections[caller] = socket.create_connection(("127.0.0.1", self.port), timeout=10)
                            selector.register(connections[caller], selectors.EVENT_READ, caller)
                        connections[caller].sendall(post_request("/predict", body))
                        asked[caller] = now, b""
                    except OSError:
                        self._cut_off(caller, connections, selector)
                        heapq.heappush(due, (now + 0.2, caller))
                for key, _ in selector.select(0.002):
                    caller = key.data
                    try:
                        part = connections[caller].recv(1 << 16)
                    except OSError:
                        part = b""
                    if caller not in asked:  # the server has closed what was idle
                        self._close(caller, connections, selector)
                        continue
                    at, so_far = asked.pop(caller)
                    if not part:
                        self._cut_off(caller, connections, selector)
                    elif not self._take(so_far + part, at, answered):
                        asked[caller] = at, so_far + part
                        continue
                    heapq.heappush(due, (max(at + every, time.monotonic()), caller))
        for connection in connections.values():
            connection.close()
        self._waits.sort()
        self.soaked.p99_ms = self._waits[int(len(self._waits) * 0.99)] * 1000

    def _cut_off(self, caller: int, connections: dict[int, socket.socket], selector: selectors.DefaultSelector) -> None:
        self.soaked.unanswered += 1
        self._close(caller, connections, selector)

    def _close(self, caller: int, connections: dict[int, socket.socket], selector: selectors.DefaultSelector) -> None:
        if connection := connections.pop(caller, None):
            with suppress(KeyError):
                selector.unregister(connection)
            connection.close()

    def _take(self, response: bytes, at: float, answered: TextIO) -> bool:
        """Whether the response is whole, and then it is counted."""
        head, found, body = response.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
        if not found or len(body) < int(length):
            return False
        status = int(head.split(b" ", 2)[1])
        self.soaked.answered += 1
        self.soaked.statuses[status] += 1
        self._waits.append(time.monotonic() - at)
        if status == 200:
            (prediction,) = json.loads(body)
            if prediction["stored"]:
                answered.write(prediction["prediction_id"] + "\n")
            else:
                self.soaked.not_stored += 1
        return True
