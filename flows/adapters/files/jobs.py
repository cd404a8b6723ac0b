"""Jobs of `make serve`: a folder each, with the file that was sent, how far it is, and the result."""

import json
import logging
import queue
import re
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from functions.churn_api.bodies import Unfit, parse, refuse
from functions.churn_api.customers import Reading, read_customers
from functions.churn_api.job_routes import Job
from functions.churn_api.order_history import MAX_ORDERS
from functions.churn_api.predictions import COLUMNS, PredictionRequest, flat
from functions.churn_api.predictor import Predictor
from functions.churn_api.problems import Refused

log = logging.getLogger(__name__)

MAX_JOBS = 100  # kept at a time
KEPT_SECONDS = 86_400.0
CUSTOMERS_AT_ONCE = 500
MAX_LINE_BYTES = 1_000_000
_TEXTS = ("customer_id", "prediction_id", "risk_band", "lifecycle", "reason_1", "reason_2", "reason_3", "model_version")
_OTHER_TYPES = {"as_of": pa.date32(), "horizon_days": pa.int32(), "clv_days": pa.int32(), "stored": pa.bool_()}
_SCHEMA = pa.schema(
    [(name, _OTHER_TYPES.get(name, pa.string() if name in _TEXTS else pa.float64())) for name in COLUMNS]
    + [("error", pa.string())]
)


@dataclass
class FileJobs:
    """One job after the other, in a thread. A job that a stop interrupts begins again at the next start: the same
    customers get the same ids. `predictor`: of the model that serves now; `reading`: how it has customers read."""

    folder: Path
    reading: Callable[[Predictor], Reading]
    predictor: Callable[[], Predictor]
    clock: Callable[[], datetime]
    _waiting: "queue.SimpleQueue[str | None]" = field(default_factory=queue.SimpleQueue)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def begin(self, caller: str) -> "FileUpload":
        self._remove_old()
        if self.folder.exists() and sum(1 for _ in self.folder.iterdir()) >= MAX_JOBS:
            raise Refused(
                "too_many_jobs", f"{MAX_JOBS} jobs are kept already; try again later.", (b"retry-after", b"60")
            )
        job_id = secrets.token_hex(16)
        place = self.folder / job_id
        place.mkdir(parents=True)
        return FileUpload(self, caller, job_id, open(place / "customers.jsonl", "wb"))

    def find(self, caller: str, job_id: str) -> Job | None:
        owner, job = self._read(job_id)
        return job if owner == caller else None

    def result(self, job_id: str, is_parquet: bool) -> Path:
        return self.folder / job_id / ("result.parquet" if is_parquet else "result.jsonl")

    @contextmanager
    def working(self) -> Iterator[None]:
        """Works on jobs until the block ends, first on those that were interrupted."""
        for place in sorted(self.folder.glob("*")):
            _, job = self._read(place.name)
            if job is None:
                shutil.rmtree(place)  # its upload was never whole
            elif job.status in ("waiting", "running"):
                self._waiting.put(job.id)
        thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            self._waiting.put(None)
            thread.join()

    def submit(self, caller: str, job_id: str) -> Job:
        """Begins a job when those before it are over."""
        job = Job(id=job_id, status="waiting")
        self._write(caller, job)
        self._waiting.put(job_id)
        return job

    def _work(self) -> None:
        while (job_id := self._waiting.get()) is not None and not self._stopped.is_set():
            owner, job = self._read(job_id)
            if owner is None or job is None:
                continue  # erased meanwhile
            try:
                self._write(owner, job.model_copy(update={"status": "running"}))
                done = self._score(job)
                if done is not None:
                    self._write(owner, done)
            except Exception as problem:
                log.exception("a job failed", extra={"job": job_id}, exc_info=problem)
                if (self.folder / job_id).exists():
                    why = "It failed on our side; the log says why. Send it again."
                    self._write(owner, job.model_copy(update={"status": "failed", "problem": why}))

    def _score(self, job: Job) -> Job | None:
        """The job, done; None when it was stopped."""
        place = self.folder / job.id
        counted = {"scored": 0, "rejected": 0, "not_stored": 0}
        with (
            open(place / "customers.jsonl", "rb") as lines,
            open(place / "result.draft", "wb") as as_json,
            pq.ParquetWriter(place / "parquet.draft", _SCHEMA) as as_parquet,
        ):
            for chunk in _chunks(lines):
                rows = self._rows(chunk, as_json, counted)
                as_parquet.write_table(pa.Table.from_pylist(rows, _SCHEMA))
                if self._stopped.wait(0.01):  # callers of /predict come first
                    return None
        (place / "result.draft").replace(place / "result.jsonl")
        (place / "parquet.draft").replace(place / "result.parquet")
        (place / "customers.jsonl").unlink()
        return Job.model_validate({"id": job.id, "status": "done", **counted})

    def _rows(
        self, chunk: Sequence[tuple[int, bytes]], out: IO[bytes], counted: dict[str, int]
    ) -> list[dict[str, Any]]:
        """Scores some lines, writes their results and returns them flat."""
        predictor = self.predictor()
        reading = self.reading(predictor)
        given = [(number, *_read_line(line, reading)) for number, line in chunk]
        requests = [request for _, _, request in given if isinstance(request, PredictionRequest)]
        predicted = predictor.predict_now(requests) if requests else []
        scored = (pair for part in predicted for pair in zip(*part, strict=True))
        rows: list[dict[str, Any]] = []
        for number, customer_id, request in given:
            if isinstance(request, Unfit):
                counted["rejected"] += 1
                rejected = {"customer_id": customer_id, "line": number, "errors": request.errors}
                out.write(json.dumps(rejected).encode() + b"\n")
                rows.append({"customer_id": customer_id, "error": f"line {number}: {request.detail}"})
                continue
            response, alone = next(scored)
            counted["scored"] += 1
            counted["not_stored"] += not response.stored
            out.write(alone[1:-1] + b"\n")
            rows.append(flat(response) | {"as_of": date.fromisoformat(response.as_of), "error": None})
        return rows

    def _read(self, job_id: str) -> tuple[str | None, Job | None]:
        if not re.fullmatch("[0-9a-f]{32}", job_id):
            return None, None
        try:
            content = json.loads((self.folder / job_id / "job.json").read_text())
        except FileNotFoundError:
            return None, None
        return content["caller"], Job.model_validate(content["job"])

    def _write(self, caller: str, job: Job) -> None:
        draft = self.folder / job.id / "job.draft"
        draft.write_text(json.dumps({"caller": caller, "job": job.model_dump()}))
        draft.replace(draft.with_suffix(".json"))

    def _remove_old(self) -> None:
        since = self.clock().timestamp() - KEPT_SECONDS
        for place in self.folder.glob("*"):
            _, job = self._read(place.name)
            if job and job.status in ("done", "failed") and place.stat().st_mtime < since:
                shutil.rmtree(place, ignore_errors=True)


@dataclass
class FileUpload:
    """A job's file while it arrives."""

    jobs: FileJobs
    caller: str
    job_id: str
    file: IO[bytes]

    def write(self, content: bytes) -> None:
        self.file.write(content)

    def submit(self) -> Job:
        self.file.close()
        return self.jobs.submit(self.caller, self.job_id)

    def abandon(self) -> None:
        self.file.close()
        shutil.rmtree(self.jobs.folder / self.job_id, ignore_errors=True)


def _chunks(lines: IO[bytes]) -> Iterator[list[tuple[int, bytes]]]:
    """Numbered lines that are not empty, some at a time; of one that is too long only its beginning."""
    chunk: list[tuple[int, bytes]] = []
    number = 0
    while line := lines.readline(MAX_LINE_BYTES + 1):
        number += 1
        rest = line
        while len(line) > MAX_LINE_BYTES and rest and not rest.endswith(b"\n"):
            rest = lines.readline(MAX_LINE_BYTES)
        if line.strip():
            chunk.append((number, line))
        if len(chunk) == CUSTOMERS_AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _read_line(line: bytes, reading: Reading) -> tuple[str | None, PredictionRequest | Unfit]:
    """The customer's id, if it is one, and what is to be scored, or why not."""
    customer_id = None
    try:
        if len(line) > MAX_LINE_BYTES:
            raise refuse((), f"the line is longer than {MAX_LINE_BYTES:,} bytes", "too_long")
        content = parse(line, 6 * MAX_ORDERS, "send a customer on each line")
        if not isinstance(content, dict):
            raise refuse((), "send a customer, as an object, on each line", "dict_type")
        if isinstance(content.get("customer_id"), str):
            customer_id = content["customer_id"][:200]
        return customer_id, read_customers(content, reading)
    except Unfit as unfit:
        return customer_id, unfit
    except Refused as unreadable:
        return customer_id, Unfit([{"pointer": "", "detail": unreadable.detail, "code": unreadable.code}])
