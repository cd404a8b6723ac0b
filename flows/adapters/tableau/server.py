"""Publishes to Tableau Cloud or Server: the customers as a data source, and the workbook with the dashboards.

Why these two: the workbook is published self-contained: with its extract, or connected to Snowflake, so that nothing
else on the site can break it. `MARKETING_CUSTOMERS` is a data source as well, for those who build sheets of their own:
it is the mart with a row per customer. The other marts are small aggregates for the dashboards. One table per source:
tables in a .hyper are joined by foreign keys, which marts do not have, and only a source with one connection can be
updated by its id.

Everything here is idempotent: the next run repairs what a killed run left.
"""

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self

import tableauserverclient as tsc

from flows.adapters.server_api import IN_REAL_TIME, RetryPolicy
from flows.adapters.tableau.api import TableauApi
from flows.adapters.tableau.content import (
    find_data_source,
    find_project,
    find_workbook,
    follow,
    log_in_to_snowflake,
    refresh,
    views_of,
)
from flows.adapters.tableau.credentials import SnowflakeLogin, read_credentials
from flows.adapters.tableau.files import TableFile, shown_sheets
from flows.errors import PublishFailed, SettingsError, TableauRefused
from flows.settings import TableauSettings

log = logging.getLogger(__name__)

DESCRIBES_WORKBOOKS_VERSION = "3.21"
How = Literal["published", "updated", "unchanged", "refreshed"]


@dataclass(frozen=True)
class Publication:
    """`how`: created or replaced as a whole; its rows replaced; left as it is; or its extract refreshed."""

    kind: Literal["data source", "workbook"]
    name: str
    url: str
    how: How
    updated_at: datetime | None


@dataclass
class TableauServer:
    """`snowflake` None: viewers sign in to Snowflake themselves."""

    api: TableauApi
    project: str
    job_timeout_seconds: float
    snowflake: SnowflakeLogin | None = None

    @classmethod
    def read(cls, settings: TableauSettings, retry: RetryPolicy = IN_REAL_TIME) -> Self:
        """The server that the settings describe.

        Raises:
            SettingsError: naming what is missing, or why the block cannot be used; never a secret.
        """
        if settings.url is None:
            raise SettingsError("TABLEAU_URL is not set: without it nothing is published.")
        as_whom = read_credentials(settings)
        api = TableauApi(
            url=settings.url.rstrip("/"),
            site=settings.site,
            token_name=as_whom.token_name,
            token_secret=as_whom.token_secret,
            request_timeout_seconds=settings.request_timeout_seconds,
            retry=retry,
            secrets=(as_whom.snowflake.password,) if as_whom.snowflake and as_whom.snowflake.password else (),
        )
        return cls(api, settings.project, settings.job_timeout_seconds, as_whom.snowflake)

    def publish_table(self, name: str, description: str, table: TableFile, run_id: str) -> Publication:
        """A .hyper with one table as a live data source: published once, then its rows are replaced.

        The mart is rebuilt every day, and every row changes with its date: all rows are replaced by an upsert and the
        deletion of the others, in one atomic step of the server. The source's id, permissions and dependent content
        stay. With other columns the source is published again.

        `run_id`: the server does not apply the same rows of the same run twice.

        Raises:
            TableauRefused, TableauUnreachable, PublishFailed: saying what to do.
        """
        deadline = self._deadline()
        project_id = find_project(self.api, self.project)
        existing = find_data_source(self.api, project_id, name)
        described = f"{description} Columns: {table.columns_digest}."
        if existing is not None and (existing.description or "") == described:
            try:
                self._replace_rows(existing, table, f"{run_id}-{table.rows_digest}", deadline)
            except (PublishFailed, TableauRefused) as problem:
                if self.api.retry.clock() >= deadline:
                    raise
                log.warning("%s Publishing it as a whole instead.", problem)
            else:
                return _publication("data source", existing, "updated")
        item = tsc.DatasourceItem(project_id, name)
        item.description = described
        now_there = self._publish_data_source(item, table.file, existing, deadline)
        return _publication("data source", now_there, "published")

    def publish_source(self, name: str, description: str, file: Path) -> Publication:
        """Publishes a .tds that is connected to Snowflake if it is new or has changed, and refreshes its extract.

        Raises:
            TableauRefused, TableauUnreachable, PublishFailed: saying what to do.
        """
        deadline = self._deadline()
        project_id = find_project(self.api, self.project)
        existing = find_data_source(self.api, project_id, name)
        described = f"{description} Definition: {_digest(file)}."
        how: How = "unchanged"
        if existing is None or (existing.description or "") != described:
            _warn_of_extract(existing)
            item = tsc.DatasourceItem(project_id, name)
            item.description = described
            existing, how = self._publish_data_source(item, file, existing, deadline), "published"
        return _publication("data source", existing, self._connect(existing, how, deadline))

    def publish_workbook(self, name: str, description: str, file: Path) -> Publication:
        """Publishes a .twbx with its data, or a .twb that is connected to Snowflake; the latter only if it has changed.

        Raises:
            TableauRefused, TableauUnreachable, PublishFailed: saying what to do.
        """
        deadline = self._deadline()
        project_id = find_project(self.api, self.project)
        existing = find_workbook(self.api, project_id, name)
        can_say = self.api.has_version(DESCRIBES_WORKBOOKS_VERSION)
        described = f"{description} Definition: {_digest(file)}." if can_say else None
        how: How = "unchanged"
        if existing is None or described is None or (existing.description or "") != described:
            if file.suffix == ".twb":
                _warn_of_extract(existing)
            item = tsc.WorkbookItem(project_id, name, show_tabs=True)
            if described is not None:
                item.description = described
            existing, how = self._publish_workbook(item, file, existing, deadline), "published"
        return _publication("workbook", existing, self._connect(existing, how, deadline))

    def _publish_data_source(
        self, item: tsc.DatasourceItem, file: Path, before: tsc.DatasourceItem | None, deadline: float
    ) -> tsc.DatasourceItem:
        doing = f"Publishing {file.name} as the data source {item.name}"
        overwrite = tsc.Server.PublishMode.Overwrite  # creates it if missing, and can be repeated
        job = self.api.call_api(
            doing, lambda server: server.datasources.publish(item, file, overwrite, as_job=True), deadline
        )
        follow(self.api, str(job.id), doing, deadline)
        now_there = find_data_source(self.api, str(item.project_id), str(item.name))
        _check_arrival(doing, now_there is not None, before, now_there)
        assert now_there is not None
        return now_there

    def _publish_workbook(
        self, item: tsc.WorkbookItem, file: Path, before: tsc.WorkbookItem | None, deadline: float
    ) -> tsc.WorkbookItem:
        doing = f"Publishing {file.name} as the workbook {item.name}"
        overwrite = tsc.Server.PublishMode.Overwrite
        # as a job, and without checking its connections, which have no login yet
        job = self.api.call_api(
            doing,
            lambda server: server.workbooks.publish(item, file, overwrite, None, True, True),
            deadline,
        )
        follow(self.api, str(job.id), doing, deadline)
        now_there = find_workbook(self.api, str(item.project_id), str(item.name))
        _check_arrival(doing, now_there is not None, before, now_there)
        assert now_there is not None
        if missing := shown_sheets(file) - views_of(self.api, now_there):
            raise PublishFailed(
                f"{doing}: Tableau reports success, but has no sheet {', '.join(sorted(missing))} of it. Open the"
                " workbook in Tableau, or run `make validate-workbook`, to see why."
            )
        return now_there

    def _replace_rows(self, source: tsc.DatasourceItem, table: TableFile, request_id: str, deadline: float) -> None:
        doing = f"Replacing the rows of the data source {source.name}"
        where = {"target-schema": table.schema, "target-table": table.table}
        action: Any = {"action": "replace", "source-schema": table.schema, "source-table": table.table, **where}

        def call(server: tsc.Server) -> tsc.JobItem | None:
            try:
                return server.datasources.update_hyper_data(
                    source, request_id=request_id, actions=[action], payload=table.file
                )
            except IndexError:  # the SDK found no job: Tableau knows the request already
                return None

        if job := self.api.call_api(doing, call, deadline):
            follow(self.api, str(job.id), doing, deadline)

    def _connect(self, item: tsc.DatasourceItem | tsc.WorkbookItem, how: How, deadline: float) -> How:
        """Stores the login if the item is connected to Snowflake, and refreshes its extract."""
        is_connected = log_in_to_snowflake(self.api, item, self.snowflake)
        if is_connected and str(item.has_extracts).lower() == "true":
            refresh(self.api, item, deadline)
            return "refreshed"
        return how

    def _deadline(self) -> float:
        return self.api.retry.deadline(self.job_timeout_seconds)


def _check_arrival(
    doing: str,
    is_there: bool,
    before: tsc.DatasourceItem | tsc.WorkbookItem | None,
    now_there: tsc.DatasourceItem | tsc.WorkbookItem | None,
) -> None:
    """Checks that the published item is newer than the old one."""
    if not is_there:
        raise PublishFailed(
            f"{doing}: Tableau reports success, but shows nothing of that name in the project. May the token's owner"
            " see what they publish? They need the capability View on the project."
        )
    was, now = (None if it is None else it.updated_at for it in (before, now_there))
    if was is not None and (now is None or now <= was):
        raise PublishFailed(
            f"{doing}: Tableau reports success, but what it shows is still of {was:%Y-%m-%d %H:%M:%S} UTC. Run again:"
            " nothing of it is half-written."
        )


def _warn_of_extract(existing: tsc.DatasourceItem | tsc.WorkbookItem | None) -> None:
    if existing is not None and str(existing.has_extracts).lower() == "true":
        log.warning(
            "The definition of %s has changed: it is published again, connected to Snowflake live. To keep an"
            " extract as before, choose that in Tableau again.",
            existing.name,
        )


def _publication(
    kind: Literal["data source", "workbook"], item: tsc.DatasourceItem | tsc.WorkbookItem, how: How
) -> Publication:
    return Publication(kind, str(item.name), item.webpage_url or "", how, item.updated_at)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]
