"""Jobs: files of customers that are scored while the caller does something else."""

import zlib
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from functions.churn_api.documents import OF_EVERY_KEY, Problem, refusals
from functions.churn_api.problems import Refused

JSON_LINES, PARQUET = "application/x-ndjson", "application/vnd.apache.parquet"
MAX_JOB_BYTES = 100_000_000  # also unpacked
_LINES = (JSON_LINES, "application/jsonl", "application/json-lines")


class Job(BaseModel):
    """A job: it is over when it is done or failed."""

    id: Annotated[str, Field(examples=["5b0c7a9e41f24c5d9b7f5f0a8e6d3c21"])]
    status: Literal["waiting", "running", "done", "failed"]
    scored: Annotated[int, Field(ge=0, description="Customers with a prediction")] = 0
    rejected: Annotated[int, Field(ge=0, description="Lines that do not fit; the result says why")] = 0
    not_stored: Annotated[int, Field(ge=0, description="Predictions that could not be stored")] = 0
    problem: Annotated[str | None, Field(description="Why it failed")] = None


class Upload(Protocol):
    def write(self, content: bytes) -> None:
        """Adds to the job's file."""

    def submit(self) -> Job:
        """The job, which begins as soon as those before it are over."""

    def abandon(self) -> None:
        """Removes what was written."""


class Jobs(Protocol):
    def begin(self, caller: str) -> Upload:
        """
        Raises:
            Refused: when there are too many.
        """

    def find(self, caller: str, job_id: str) -> Job | None:
        """A caller's own job."""

    def result(self, job_id: str, is_parquet: bool) -> Path:
        """The file of a job that is done."""


def add_jobs(app: FastAPI, jobs: Jobs, base_path: str) -> None:
    """Adds the routes."""
    statuses = refusals(404, *OF_EVERY_KEY)

    @app.post(
        "/jobs", operation_id="begin_job", tags=["jobs"], status_code=202, response_model=Job,
        responses=refusals(400, 413, 415, *OF_EVERY_KEY),
        openapi_extra={"requestBody": {"required": True, "content": {JSON_LINES: {"schema": {"type": "string"}}}}},
    )  # fmt: skip
    async def begin(request: Request) -> Response:
        """Takes a file of customers, one as JSON on each line, as /predict takes them; it may be gzipped."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in _LINES:
            why = f"The content-type is {kind[:100] or 'missing'}; send {JSON_LINES}, a customer on each line."
            raise Refused("media_type_unsupported", why, (b"accept", JSON_LINES.encode()))
        upload = jobs.begin(request.scope["notes"].caller)
        try:
            await _receive(request, upload)
            job = upload.submit()
        except BaseException:
            upload.abandon()
            raise
        headers = {"location": f"{base_path}/v1/jobs/{job.id}"}
        return Response(job.model_dump_json(), 202, headers, "application/json")

    @app.get("/jobs/{job_id}", operation_id="job", tags=["jobs"], responses=statuses)
    async def job(job_id: str, request: Request) -> Job:
        """How far a job is."""
        return _own(jobs, request, job_id)

    @app.get(
        "/jobs/{job_id}/result", operation_id="job_result", tags=["jobs"], response_class=FileResponse,
        responses={**statuses, 409: {"model": Problem, "description": "job_unfinished"}},
    )  # fmt: skip
    async def result(job_id: str, request: Request) -> FileResponse:
        """The predictions, in the order of the lines: JSON lines, or Parquet where the Accept header names it."""
        of = _own(jobs, request, job_id)
        if of.status != "done":
            raise Refused("job_unfinished", f"The job is {of.status}.", (b"retry-after", b"2"))
        is_parquet = PARQUET in request.headers.get("accept", "")
        return FileResponse(jobs.result(job_id, is_parquet), media_type=PARQUET if is_parquet else JSON_LINES)


def _own(jobs: Jobs, request: Request, job_id: str) -> Job:
    found = jobs.find(request.scope["notes"].caller, job_id)
    if found is None:
        raise Refused("not_found", "There is no such job of yours; jobs are kept for a day.")
    return found


async def _receive(request: Request, upload: Upload) -> None:
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        why = f"The content-encoding is {encoding[:100]}; send gzip, or none."
        raise Refused("media_type_unsupported", why, (b"accept-encoding", b"gzip"))
    unpacker: Any = None if encoding == "identity" else zlib.decompressobj(zlib.MAX_WBITS | 16)
    left = MAX_JOB_BYTES
    async for packed in request.stream():
        while packed:
            content, rest = packed, b""
            if unpacker is not None:
                try:
                    content = unpacker.decompress(packed, 1 << 20)
                except zlib.error:
                    raise Refused("request_unreadable", "The body is not gzip, as it declares.") from None
                rest = unpacker.unconsumed_tail or unpacker.unused_data
                if unpacker.eof and rest:
                    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
            left -= len(content)
            if left < 0:
                raise Refused("body_too_large", f"The file is larger than {MAX_JOB_BYTES:,} bytes; send several.")
            upload.write(content)
            packed = rest
    if unpacker is not None and not unpacker.eof:
        raise Refused("request_unreadable", "The body ends before its gzip stream does.")
