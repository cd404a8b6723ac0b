"""The few fields of Airbyte's responses that we read; unknown fields of newer servers are ignored."""

from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

RUNNING = frozenset(
    {"pending", "queued", "running", "incomplete"}
)  # incomplete: an attempt failed, the next one follows
ENDED = frozenset({"succeeded", "failed", "cancelled"})
NOT_IN_USE = frozenset({"inactive", "deprecated", "locked"})


def _none_if_unreadable(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    try:
        return read(value)
    except ValidationError:
        return None


_Value = TypeVar("_Value")
Readable = Annotated[_Value | None, WrapValidator(_none_if_unreadable)]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Job(_Answer):
    """`status` may be a new, unknown term. `duration` is missing before the job runs."""

    job_id: int = Field(alias="jobId")
    status: str
    kind: Readable[str] = Field(None, alias="jobType")
    started_at: Readable[datetime] = Field(None, alias="startTime")
    duration: Readable[timedelta] = None
    rows: Readable[int] = Field(None, alias="rowsSynced")
    bytes: Readable[int] = Field(None, alias="bytesSynced")

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED


class Jobs(_Answer):
    data: tuple[Job, ...]

    @property
    def newest_id(self) -> int:
        """0: there is none."""
        return max((job.job_id for job in self.data), default=0)

    @property
    def newest_sync(self) -> Job | None:
        return max((job for job in self.data if job.kind == "sync"), key=lambda job: job.job_id, default=None)


class _Stream(_Answer):
    name: str


class _Streams(_Answer):
    streams: tuple[_Stream, ...] = ()


class AirbyteConnection(_Answer):
    connection_id: str = Field(alias="connectionId")
    name: str
    status: str
    status_reason: Readable[str] = Field(None, alias="statusReason")
    configurations: _Streams

    @property
    def streams(self) -> tuple[str, ...]:
        return tuple(stream.name for stream in self.configurations.streams)

    def __str__(self) -> str:
        return f"{self.name} ({self.connection_id})"


class AirbyteConnections(_Answer):
    data: tuple[AirbyteConnection, ...]
