"""The content of a Tableau site: projects, data sources, workbooks, their connections and jobs."""

import logging
from collections.abc import Iterator
from functools import partial
from itertools import count
from typing import Protocol, TypeVar

import tableauserverclient as tsc

from flows.adapters.server_api import pauses
from flows.adapters.tableau.api import TableauApi
from flows.adapters.tableau.credentials import SnowflakeLogin
from flows.errors import PublishFailed, TableauRefused

log = logging.getLogger(__name__)

PAGE_SIZE = 1_000  # the server's maximum
SEPARATES_FILTERS = frozenset(",&:[]")  # names with these characters cannot be queried
KEY_PAIR_VERSION = "3.27"
SNOWFLAKE = "snowflake"


Item = TypeVar("Item")
Published = TypeVar("Published", tsc.DatasourceItem, tsc.WorkbookItem)


class GetPage(Protocol[Item]):
    def __call__(self, server: tsc.Server, options: tsc.RequestOptions) -> tuple[list[Item], tsc.PaginationItem]: ...


def find_project(api: TableauApi, path: str) -> str:
    """The id of a project, by its name or, within another one, its path.

    Raises:
        TableauRefused: when there is none, or more than one.
    """
    projects = _all(api, "Looking for the project", lambda server, options: server.projects.get(options))
    by_id = {str(project.id): project for project in projects}

    def path_of(project: tsc.ProjectItem) -> str:
        outer = by_id.get(str(project.parent_id))
        return f"{path_of(outer)}/{project.name}" if outer else str(project.name)

    paths = {project_id: path_of(project) for project_id, project in by_id.items()}
    wanted = path.strip("/")
    found = [i for i, at in paths.items() if at == wanted] or [i for i, p in by_id.items() if p.name == wanted]
    if len(found) == 1:
        return found[0]
    seen = "\n  ".join(sorted(paths.values())) or "(none)"
    if not found:
        raise TableauRefused(
            f"TABLEAU_PROJECT={path}: the token's owner sees no such project. Create it in Tableau, set"
            " there who may see it, and let the owner publish to it; or name another. There are:\n  " + seen
        )
    raise TableauRefused(
        f"TABLEAU_PROJECT={path}: {len(found)} projects are called that: write the whole path. There are:\n  " + seen
    )


def find_data_source(api: TableauApi, project_id: str, name: str) -> tsc.DatasourceItem | None:
    doing = f"Looking for the data source {name}"
    found = _all(api, doing, lambda server, options: server.datasources.get(options), name)
    return _in_project(found, project_id, name)


def find_workbook(api: TableauApi, project_id: str, name: str) -> tsc.WorkbookItem | None:
    doing = f"Looking for the workbook {name}"
    found = _all(api, doing, lambda server, options: server.workbooks.get(options), name)
    return _in_project(found, project_id, name)


def views_of(api: TableauApi, workbook: tsc.WorkbookItem) -> set[str]:
    """The names of its sheets that people see."""

    def call(server: tsc.Server) -> set[str]:
        server.workbooks.populate_views(workbook)
        return {str(view.name) for view in workbook.views}

    return api.call_api(f"Looking at the sheets of {workbook.name}", call)


def follow(api: TableauApi, job_id: str, doing: str, deadline: float) -> None:
    """Waits until a job succeeds.

    Raises:
        PublishFailed: when it fails or takes too long, with Tableau's message.
    """
    for pause in pauses():
        job = api.call_api(f"Looking at job {job_id}", lambda server: server.jobs.get_by_id(job_id))
        if job.completed_at is not None:
            break
        if not api.retry.wait_until(deadline, pause):
            raise PublishFailed(
                f"{doing} takes too long: Tableau's job {job_id} still runs, and continues there (Jobs, on the site's"
                " page). Give it longer with TABLEAU_JOB_TIMEOUT_SECONDS."
            )
    if job.finish_code not in (tsc.JobItem.FinishCode.Success, tsc.JobItem.FinishCode.Completed):
        notes = [*(job.notes or []), *(str(note["text"]) for note in job.status_notes or [])]
        reason = " ".join(" ".join(note for note in notes if note).split())[:300] or "no reason"
        how = "was cancelled" if job.finish_code == tsc.JobItem.FinishCode.Cancelled else "failed"
        raise PublishFailed(f"{doing}: Tableau's job {job_id} {how}, and gives {reason}.")


def refresh(api: TableauApi, item: tsc.DatasourceItem | tsc.WorkbookItem, deadline: float) -> None:
    """Refreshes the extract of an item that is connected to Snowflake.

    A refresh that is queued or running may have read the tables before this run finished them: ours starts after it.
    """
    doing = f"Refreshing {item.name}"

    def call(server: tsc.Server) -> tsc.JobItem | None:
        if isinstance(item, tsc.WorkbookItem):
            return server.workbooks.refresh(item)
        return server.datasources.refresh(item)

    for pause in pauses():
        job = api.call_api(doing, call, deadline)
        if job is not None:
            return follow(api, str(job.id), doing, deadline)
        log.info("%s: another refresh is running; waiting for it", doing)
        if not api.retry.wait_until(deadline, pause):
            break
    raise PublishFailed(f"{doing}: another refresh of it does not end. Look at Jobs, on the site's page in Tableau.")


def log_in_to_snowflake(
    api: TableauApi, item: tsc.DatasourceItem | tsc.WorkbookItem, login: SnowflakeLogin | None
) -> bool:
    """Stores the login in connections to Snowflake and checks it; returns whether there are any.

    Publishing drops stored logins, and ignores a login that is sent along.

    Raises:
        TableauRefused: when the server cannot store a key pair.
        PublishFailed: when a connection does not have it afterwards.
    """
    connected = list(_snowflake_connections(api, item))
    if login is None or not connected:
        return bool(connected)
    if login.password is None and not api.has_version(KEY_PAIR_VERSION):
        raise TableauRefused(
            f"Tableau stores no key pair before version {KEY_PAIR_VERSION} of its REST API: set"
            " TABLEAU_SNOWFLAKE_PASSWORD, which may be a programmatic access token of TABLEAU_SNOWFLAKE_USER."
        )
    for connection in connected:
        _set_login(api, item, connection, login)
    for connection in _snowflake_connections(api, item):
        if (connection.username or "").casefold() != login.user.casefold() or not connection.embed_password:
            raise PublishFailed(
                f"The connection of {item.name} to {connection.server_address} has no login of {login.user}, although"
                " Tableau took it. Look at it in Tableau, under Data Sources or Connections of what was published."
            )
    return True


def _set_login(
    api: TableauApi,
    item: tsc.DatasourceItem | tsc.WorkbookItem,
    connection: tsc.ConnectionItem,
    login: SnowflakeLogin,
) -> None:
    connection.server_address = connection.server_port = None  # those are not changed
    connection.username, connection.password, connection.embed_password = login.user, login.password, True
    if login.password is None:
        connection.auth_type = "auth-keypair"

    def call(server: tsc.Server) -> None:
        if isinstance(item, tsc.WorkbookItem):
            server.workbooks.update_connection(item, connection)
        else:
            server.datasources.update_connection(item, connection)

    api.call_api(f"Storing the login of {login.user} in {item.name}", call)


def _snowflake_connections(
    api: TableauApi, item: tsc.DatasourceItem | tsc.WorkbookItem
) -> Iterator[tsc.ConnectionItem]:
    def call(server: tsc.Server) -> list[tsc.ConnectionItem]:
        if isinstance(item, tsc.WorkbookItem):
            server.workbooks.populate_connections(item)
        else:
            server.datasources.populate_connections(item)
        return list(item.connections)

    for connection in api.call_api(f"Looking at the connections of {item.name}", call):
        if connection.connection_type == SNOWFLAKE:
            yield connection


def _in_project(found: list[Published], project_id: str, name: str) -> Published | None:
    """Compares names as the server does, without regard to case."""
    return next((i for i in found if i.project_id == project_id and str(i.name).casefold() == name.casefold()), None)


def _all(api: TableauApi, doing: str, get: GetPage[Item], name: str | None = None) -> list[Item]:
    """All items of a kind, or those with the name, from every page."""
    items: list[Item] = []
    for number in count(1):
        options = tsc.RequestOptions(pagenumber=number, pagesize=PAGE_SIZE)  # type: ignore[no-untyped-call]
        if name is not None and not SEPARATES_FILTERS & set(name):
            field, equals = tsc.RequestOptions.Field.Name, tsc.RequestOptions.Operator.Equals
            options.filter.add(tsc.Filter(field, equals, name))  # type: ignore[no-untyped-call]
        page, pages = api.call_api(doing, partial(get, options=options))
        items += page
        if not page or len(items) >= pages.total_available:
            break
    return items
