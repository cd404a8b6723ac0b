"""Syncs by an Airbyte server: starts one, or joins one that is already running, and follows it to its end."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

from airbyte_api.models import JobTypeEnum

from flows.adapters.airbyte.api import AirbyteApi
from flows.adapters.airbyte.credentials import read_credentials
from flows.adapters.airbyte.responses import RUNNING, AirbyteConnection, Job, Jobs
from flows.adapters.airbyte.server_connections import (
    PATIENCE_SECONDS,
    check_in_use,
    connection_by_id,
    find_connection,
    missing_streams,
)
from flows.adapters.server_api import IN_REAL_TIME, RetryPolicy, pauses
from flows.errors import AirbyteRefused, AirbyteUnreachable, BadInput, PipelineError, SettingsError
from flows.ports.syncs import SyncFailed, SyncRun
from flows.settings import AirbyteSettings

log = logging.getLogger(__name__)

CANCELLING_SECONDS = 120.0  # how long a job may take to stop
RECENT_JOBS = 20


@dataclass(frozen=True)
class AirbyteServer:
    """`on_timeout`: a sync that takes longer than `sync_timeout_seconds` is cancelled, or left running and reported."""

    api: AirbyteApi
    sync_timeout_seconds: float
    on_timeout: Literal["cancel", "report"]

    @classmethod
    def read(cls, settings: AirbyteSettings, retry: RetryPolicy = IN_REAL_TIME) -> Self:
        """The server that the settings describe.

        Raises:
            SettingsError: naming what is missing, or why the block cannot be used; never the secret.
        """
        if settings.url is None:
            raise SettingsError("AIRBYTE_URL is not set: without it no sync is triggered.")
        client_id, client_secret = read_credentials(settings)
        api = AirbyteApi(settings.url.rstrip("/"), client_id, client_secret, retry)
        return cls(api, settings.sync_timeout_seconds, settings.on_timeout)

    def sync(self, wanted: str, streams: Sequence[str] = ()) -> SyncRun:
        """Runs one sync of the connection with that id or name to its success, which may bring no rows.

        `streams`: those that the connection must have, before and after.

        Raises:
            BadInput: for a connection that does not exist, is not in use, or lacks a stream.
            AirbyteRefused: when Airbyte refuses.
            AirbyteUnreachable: when it does not respond, and nothing was started.
            SyncFailed: when the sync failed, was cancelled or takes too long; with the run, as far as it is known.
        """
        deadline = self.api.retry.deadline(self.sync_timeout_seconds)
        connection = find_connection(self.api, wanted)
        check_in_use(connection)
        if gone := missing_streams(connection, streams):
            raise BadInput(gone)
        job, attached = self._start_or_join(connection, deadline)
        log.info("Airbyte's job %d %s %s", job.job_id, "already syncs" if attached else "syncs", connection.name)
        job = self._follow(job, connection, attached, deadline)
        if not job.has_ended:
            job = self._end_late(job, connection, attached)
        run = _run(job, connection, attached)
        if job.status != "succeeded":
            raise SyncFailed(
                f"The sync of {connection} ended as {job.status}: Airbyte's job {job.job_id}. Its log is on the"
                " connection's page in Airbyte, under Timeline. Fix the cause and run again: that begins a"
                " new sync.",
                run,
            )
        self._check_streams_again(connection, streams, run)
        log.info("Airbyte's job %d has brought %s rows of %s", job.job_id, f"{job.rows or 0:,}", connection.name)
        return run

    def _start_or_join(self, connection: AirbyteConnection, deadline: float) -> tuple[Job, bool]:
        """The job that syncs the connection, and whether it was started by somebody else.

        A lost response does not tell whether a sync was started; a job newer than the previous newest one does. Airbyte
        itself refuses a second concurrent sync."""
        jobs = self._recent_jobs(connection, min(deadline, self.api.retry.deadline(PATIENCE_SECONDS)))
        newest_before = jobs.newest_id
        if jobs.newest_sync and jobs.newest_sync.status in RUNNING:
            return jobs.newest_sync, True
        is_lost = False
        for pause in pauses():
            try:
                return self._start(connection), False
            except AirbyteRefused as refused:
                if refused.status_code != 409:
                    raise
                problem: PipelineError = refused
                seconds = pause
            except AirbyteUnreachable as lost:
                is_lost, problem = True, lost
                seconds = lost.retry_after_seconds or pause
            is_busy = isinstance(problem, AirbyteRefused)
            log.warning("%s Checking whether a sync is running.", problem)
            in_time = self.api.retry.wait_until(deadline, seconds)
            try:
                newest = self._recent_jobs(connection, deadline).newest_sync
            except PipelineError as silence:
                raise SyncFailed(
                    f"{silence} A sync of {connection} may have been started: look at the connection's page in Airbyte."
                    " If it runs, the next run here joins it."
                ) from None
            if newest and (newest.job_id > newest_before or (is_busy and not newest.has_ended)):
                return newest, not is_lost
            if not in_time:
                raise SyncFailed(
                    f"No sync of {connection} could be started within {self.sync_timeout_seconds:,.0f} s. {problem}"
                    + (" Another job of the connection, such as a reset, has to end first." if is_busy else "")
                )
        raise AssertionError("pauses never end")

    def _start(self, connection: AirbyteConnection) -> Job:
        connection_id = connection.connection_id
        return self.api.call_api_once(
            f"Starting a sync of {connection}",
            lambda sdk: sdk.jobs.create_job(request={"connection_id": connection_id, "job_type": JobTypeEnum.SYNC}),
            Job,
        )

    def _recent_jobs(self, connection: AirbyteConnection, deadline: float) -> Jobs:
        connection_id = connection.connection_id
        return self.api.call_api(
            f"Looking at the jobs of {connection}",
            deadline,
            lambda sdk: sdk.jobs.list_jobs(
                request={"connection_id": connection_id, "order_by": "createdAt|DESC", "limit": RECENT_JOBS}
            ),
            Jobs,
        )

    def _follow(self, job: Job, connection: AirbyteConnection, attached: bool, deadline: float) -> Job:
        """The finished job, or its last known state at the deadline."""
        for pause in pauses():
            if job.has_ended or not self.api.retry.wait_until(deadline, pause):
                break
            before = job.status
            try:
                job = self._look(job, deadline)
            except AirbyteUnreachable as silence:  # until the deadline
                log.warning("%s", silence)
            except AirbyteRefused as refused:
                raise SyncFailed(
                    f"{refused} The outcome of job {job.job_id}, the sync of {connection}, is not known here;"
                    " see the connection's page in Airbyte. If it still runs, the next run here joins it.",
                    _run(job, connection, attached),
                ) from None
            if job.status != before:
                log.info("Airbyte's job %d is %s", job.job_id, job.status)
        return job

    def _look(self, job: Job, deadline: float) -> Job:
        job_id = job.job_id
        return self.api.call_api(
            f"Looking at job {job_id}", deadline, lambda sdk: sdk.jobs.get_job(request={"job_id": job_id}), Job
        )

    def _cancel(self, job: Job, deadline: float) -> None:
        job_id = job.job_id
        self.api.call_api(
            f"Cancelling job {job_id}", deadline, lambda sdk: sdk.jobs.cancel_job(request={"job_id": job_id}), Job
        )

    def _end_late(self, job: Job, connection: AirbyteConnection, attached: bool) -> Job:
        """The job, if it succeeded at the last moment.

        Raises:
            SyncFailed: with the action taken, and how to follow the job.
        """
        took = (
            f"The sync of {connection} takes longer than {self.sync_timeout_seconds:,.0f} s: Airbyte's job {job.job_id}"
        )
        longer = "Give it longer with AIRBYTE_SYNC_TIMEOUT_SECONDS."
        problem = ""
        if self.on_timeout == "cancel":
            deadline = self.api.retry.deadline(CANCELLING_SECONDS)
            try:
                self._cancel(job, deadline)
            except (AirbyteRefused, AirbyteUnreachable) as refused:  # it may have ended meanwhile
                problem = f" It could not be cancelled: {refused}"
            job = self._follow(job, connection, attached, deadline)
            if job.status == "cancelled":
                raise SyncFailed(
                    f"{took} was cancelled. What it had synced stays. {longer}",
                    _run(job, connection, attached),
                )
        if job.has_ended:
            return job
        raise SyncFailed(
            f"{took} is {job.status}, and continues in Airbyte.{problem} Follow it on the connection's page there, or"
            f" with GET {self.api.url}/jobs/{job.job_id}; the next run here joins it. {longer}",
            _run(job, connection, attached),
        )

    def _check_streams_again(self, connection: AirbyteConnection, streams: Sequence[str], run: SyncRun) -> None:
        if not streams:
            return
        try:
            now_there = connection_by_id(self.api, connection.connection_id)
        except (AirbyteRefused, AirbyteUnreachable) as silence:
            log.warning("The sync succeeded; it is not known whether its streams still exist. %s", silence)
            return
        if gone := missing_streams(now_there, streams):
            raise SyncFailed(f"Airbyte's job {run.job_id} succeeded, but: {gone}", run)


def _run(job: Job, connection: AirbyteConnection, attached: bool) -> SyncRun:
    return SyncRun(
        job_id=job.job_id,
        connection_id=connection.connection_id,
        connection=connection.name,
        status=job.status,
        started_at=job.started_at,
        duration_seconds=job.duration.total_seconds() if job.duration is not None else None,
        rows=job.rows,
        bytes=job.bytes,
        attached=attached,
    )
