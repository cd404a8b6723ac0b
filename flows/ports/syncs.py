"""A sync, by Airbyte's server or on the laptop."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from flows.errors import PipelineError


@dataclass(frozen=True)
class SyncRun:
    """`status` is Airbyte's term. `rows` and `bytes` count what has been committed. None: not reported by Airbyte.

    `attached`: it was running already, started by somebody else, Airbyte's own schedule or an earlier run. `notes`:
    notices for the user. `job_id`: Airbyte's number; on the laptop, an id of its own."""

    job_id: int | str
    connection_id: str
    connection: str
    status: str
    started_at: datetime | None
    duration_seconds: float | None
    rows: int | None
    bytes: int | None
    attached: bool
    notes: tuple[str, ...] = ()


class SyncFailed(PipelineError):
    """`run`: its last known state; None if none is known to have started. `may_pass`: whether another try may succeed;
    not where a setting, a right or a column is missing."""

    def __init__(self, message: str, run: SyncRun | None = None, may_pass: bool = True) -> None:
        super().__init__(message)
        self.run, self.may_pass = run, may_pass


class Syncs(Protocol):
    """Syncs a connection."""

    def sync(self, wanted: str, streams: Sequence[str] = ()) -> SyncRun:
        """Runs one sync of the connection with that name, which must have these streams, to its end.

        Raises:
            SyncFailed: when it did not succeed; with the run, as far as it is known.
        """
        ...
