"""A stand-in for Tableau's server: the part of its REST API that publishing needs, in its XML and with its refusals.

Rows of data sources are real: what is published is opened by hyperd, and updates are carried out by it on the stored
file. A job lives by being looked at: its work is done at the last look. A session lives until a test ends it. So
nothing here depends on time.
"""

import atexit
import io
import json
import re
import tempfile
import threading
import uuid
import zipfile
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from tableauhyperapi import (
    Connection,
    CreateMode,
    HyperException,
    HyperProcess,
    TableName,
    Telemetry,
    escape_name,
    escape_string_literal,
)

NAMESPACE = "http://tableau.com/api"
MAX_PER_PAGE = 1_000
Reply = tuple[int, dict[str, str], bytes]


class Refused(Exception):  # as the service says it: its code begins with the status
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code, self.detail = code, detail


@dataclass
class Fault:
    """What happens to the next request of a kind instead of, or after (`is_done`), what it asks for.

    `status` None: the connection is hung up, or (`is_slow`) answered only when the test is over.
    """

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"out of order"
    is_done: bool = False
    is_slow: bool = False


@dataclass
class Link:
    """A connection of something published."""

    kind: str
    server: str
    user: str = ""
    password: str | None = None
    authentication: str = ""
    is_embedded: bool = False
    link_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass
class Item:
    item_id: str
    name: str
    project_id: str
    description: str | None
    file: Path
    links: list[Link]
    sheets: list[str]
    updated_at: datetime
    has_extracts: bool = False
    refreshes: int = 0
    versions: int = 1


@dataclass
class Job:
    job_id: str
    work: Callable[[], None]
    looks: int
    item_id: str | None = None
    finish_code: int | None = None
    note: str = ""


class TableauStandIn:
    """`requests`: as `GET projects`, with ids as `*`. `applied`: request ids of the updates that were carried out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.api_version = "3.29"
        self.site, self.site_id = "shop", str(uuid.uuid4())
        self.token_name, self.token_secret = "rfm-churn", f"secret-{uuid.uuid4()}"
        self.sessions: set[str] = set()
        self.projects: dict[str, tuple[str, str | None]] = {}
        self.may_publish = True
        self.most_bytes = 1 << 40
        self.items: dict[str, dict[str, Item]] = {"datasources": {}, "workbooks": {}}
        self.uploads: dict[str, bytearray] = {}
        self.jobs: dict[str, Job] = {}
        self.looks = 2  # until a job is done
        self.requests: list[str] = []
        self.applied: list[str] = []
        self.lost_sheets: set[str] = set()
        self.forgets: set[str] = set()  # of what a connection is given
        self.is_deaf = False  # says of what it publishes that it is done, and does nothing
        self.failing_jobs: deque[str] = deque()
        self.tells_jobs_again = True  # of an update that it knows already; the documentation does not say
        self.findings: dict[str, list[dict[str, Any]]] = {}
        self.faults: dict[str, deque[Fault | None]] = defaultdict(deque)
        self.after: dict[str, Callable[[], Any]] = {}
        self.mistakes: list[str] = []
        self.over = threading.Event()
        self.port = 0
        self._updates: dict[tuple[str, str], str] = {}
        self._now = datetime(2026, 6, 30, 5, 0)  # noqa: DTZ001  written with a Z
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None

    # --- for tests

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add_project(self, name: str, within: str | None = None) -> str:
        project_id = str(uuid.uuid4())
        self.projects[project_id] = (name, within)
        return project_id

    def fail_next(self, request: str, *faults: Fault | None) -> None:
        """`request`: a regular expression over `POST datasources` and the like. None: nothing happens to that one."""
        self.faults[request].extend(faults)

    def item(self, kind: str) -> Item:
        (only,) = self.items[kind].values()
        return only

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the one data source holds."""
        with self._open(self.item("datasources").file) as hyper:
            return [tuple(row) for row in hyper.execute_list_query(query)]

    def start(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        self.over.set()
        assert self._server
        self._server.shutdown()
        self._server.server_close()

    # --- requests

    def respond(self, verb: str, path: str, query: dict[str, str], headers: Any, body: bytes) -> Reply | None:
        with self._lock:
            version, _, rest = path.removeprefix("/api/").partition("/")
            request = f"{verb} {re.sub(r'[0-9a-f]{8}-[0-9a-f-]{27}', '*', rest).removeprefix('sites/*/')}"
            self.requests.append(request)
            fault = next((faults.popleft() for of, faults in self.faults.items()
                          if faults and re.fullmatch(of, request)), None)  # fmt: skip
            answer: Reply = (500, {}, b"")
            if fault is None or fault.is_done:
                try:
                    answer = self._carry_out(verb, version, rest, query, headers, body)
                except Refused as refused:
                    answer = _error(refused.code, refused.detail)
            if request in self.after:
                self.after.pop(request)()
        if fault is None:
            return answer
        if fault.is_slow:
            self.over.wait()
        if fault.status is None:
            return None
        echo = fault.body.replace(b"<session>", headers.get("x-tableau-auth", "").encode())
        return fault.status, fault.headers, echo.replace(b"<body>", body)

    def _carry_out(self, verb: str, version: str, rest: str, query: dict[str, str], headers: Any, body: bytes) -> Reply:
        if tuple(map(int, version.split("."))) > tuple(map(int, self.api_version.split("."))):
            raise Refused("404000", f"there is no version {version}")
        if rest == "serverInfo":
            return _xml(f'<serverInfo><productVersion build="20262.26.0601">2026.2.0</productVersion>'
                        f"<restApiVersion>{self.api_version}</restApiVersion></serverInfo>")  # fmt: skip
        if rest == "auth/signin":
            return self._sign_in(body)
        session = headers.get("x-tableau-auth")
        if session is None:
            raise Refused("401000", "No authentication credentials were provided")
        if session not in self.sessions:
            raise Refused("401002", "Invalid authentication credentials were provided")
        if rest == "auth/signout":
            self.sessions.discard(session)
            return 204, {}, b""
        sites, site_id, kind, *more = rest.split("/")
        assert sites == "sites", rest
        if site_id != self.site_id:
            raise Refused("404000", f"there is no site {site_id}")
        match (verb, kind, *more):
            case ("GET", "projects"):
                return self._page("projects", [self._project(one) for one in self.projects], query)
            case ("GET", "datasources" | "workbooks"):
                found = [one for one in self.items[kind].values() if _passes(one, query.get("filter"))]
                return self._page(kind, [self._item(kind, one) for one in found], query)
            case ("POST", "fileUploads"):
                upload_id = f"{len(self.uploads)}:{uuid.uuid4().hex}"
                self.uploads[upload_id] = bytearray()
                return _xml(f'<fileUpload uploadSessionId="{upload_id}" />', 201)
            case ("PUT", "fileUploads", upload_id):
                return self._append(upload_id, _parts(headers, body))
            case ("POST", "workbooks", "validateWorkbook"):
                return self._validate(headers, body)
            case ("POST", "datasources" | "workbooks"):
                return self._publish(kind, query, _parts(headers, body))
            case ("GET", "datasources" | "workbooks", item_id, "connections"):
                links = "".join(_link(link) for link in self._one(kind, item_id).links)
                return _xml(f"<connections>{links}</connections>")
            case ("PUT", "datasources" | "workbooks", item_id, "connections", link_id):
                return self._set_login(self._one(kind, item_id), link_id, body)
            case ("GET", "workbooks", item_id, "views"):
                sheets = [sheet for sheet in self._one(kind, item_id).sheets if sheet not in self.lost_sheets]
                views = "".join(f'<view id="{uuid.uuid4()}" name={quoteattr(sheet)} />' for sheet in sheets)
                return _xml(f"<views>{views}</views>")
            case ("POST", "datasources" | "workbooks", item_id, "refresh"):
                return self._refresh(self._one(kind, item_id))
            case ("PATCH", "datasources", item_id, "data"):
                source = self._one(kind, item_id)
                return self._update(source, query, headers["requestid"], json.loads(body)["actions"])
            case ("GET", "jobs", job_id):
                return self._look(job_id)
        raise AssertionError(f"nobody knows {verb} {rest}")

    def _sign_in(self, body: bytes) -> Reply:
        credentials = ElementTree.fromstring(body).find("credentials")
        assert credentials is not None
        site = credentials.find("site")
        given = (credentials.get("personalAccessTokenName"), credentials.get("personalAccessTokenSecret"))
        if given != (self.token_name, self.token_secret) or site is None or site.get("contentUrl") != self.site:
            raise Refused("401001", "Error signing in to Tableau Server")
        self.sessions = {f"session-{uuid.uuid4()}"}  # a token has one session at a time
        return _xml(f'<credentials token="{next(iter(self.sessions))}"><site id="{self.site_id}"'
                    f' contentUrl="{self.site}" /><user id="{uuid.uuid4()}" /></credentials>')  # fmt: skip

    def _page(self, kind: str, entries: list[str], query: dict[str, str]) -> Reply:
        size, number = int(query.get("pageSize", 100)), int(query.get("pageNumber", 1))
        if size > MAX_PER_PAGE:
            raise Refused("403014", "the page size is larger than the maximum")
        if number > 1 and (number - 1) * size >= len(entries):
            raise Refused("400006", "there is no such page")
        shown = "".join(entries[(number - 1) * size : number * size])
        return _xml(f'<pagination pageNumber="{number}" pageSize="{size}" totalAvailable="{len(entries)}" />'
                    f"<{kind}>{shown}</{kind}>")  # fmt: skip

    def _project(self, project_id: str) -> str:
        name, within = self.projects[project_id]
        parent = f' parentProjectId="{within}"' if within else ""
        return f'<project id="{project_id}" name={quoteattr(name)}{parent} />'

    def _item(self, kind: str, one: Item) -> str:
        described = "" if one.description is None else f" description={quoteattr(one.description)}"
        return (
            f'<{kind[:-1]} id="{one.item_id}" name={quoteattr(one.name)}{described}'
            f' hasExtracts="{str(one.has_extracts).lower()}" updatedAt="{one.updated_at.isoformat()}Z"'
            f' createdAt="2026-06-30T05:00:00Z" webpageUrl="{self.url}/#/site/{self.site}/{kind}/1">'
            f'<project id="{one.project_id}" name={quoteattr(self.projects[one.project_id][0])} /></{kind[:-1]}>'
        )

    def _one(self, kind: str, item_id: str) -> Item:
        if item_id not in self.items[kind]:
            raise Refused("404004" if kind == "datasources" else "404006", f"there is no {kind[:-1]} {item_id}")
        return self.items[kind][item_id]

    def _append(self, upload_id: str, parts: dict[str, tuple[str, bytes]]) -> Reply:
        if upload_id not in self.uploads:
            raise Refused("404017", f"there is no upload {upload_id}")
        self.uploads[upload_id] += parts["tableau_file"][1]
        if len(self.uploads[upload_id]) > self.most_bytes:
            return 413, {}, b"<html>413 Request Entity Too Large</html>"
        return _xml(f'<fileUpload uploadSessionId="{upload_id}" fileSize="{len(self.uploads[upload_id]) >> 20}" />')

    def _uploaded(self, upload_id: str) -> bytes:
        if upload_id not in self.uploads:
            raise Refused("404017", f"there is no upload {upload_id}")
        return bytes(self.uploads.pop(upload_id))

    def _publish(self, kind: str, query: dict[str, str], parts: dict[str, tuple[str, bytes]]) -> Reply:
        wanted = ElementTree.fromstring(parts["request_payload"][1]).find(kind[:-1])
        assert wanted is not None
        project = wanted.find("project")
        assert project is not None
        project_id, name = str(project.get("id")), str(wanted.get("name"))
        if project_id not in self.projects:
            raise Refused("404005", f"there is no project {project_id}")
        if not self.may_publish:
            raise Refused("403004", "the user does not have permission to write to the project")
        ending = query.get("datasourceType" if kind == "datasources" else "workbookType", "")
        if ending not in (("hyper", "tds", "tdsx") if kind == "datasources" else ("twb", "twbx")):
            raise Refused("400000", f"{ending} is no type of {kind}")
        content = self._uploaded(query["uploadSessionId"]) if "uploadSessionId" in query else parts[
            f"tableau_{kind[:-1]}"][1]  # fmt: skip
        if len(content) > self.most_bytes:
            return 413, {}, b"<html>413 Request Entity Too Large</html>"
        existing = next((one for one in self.items[kind].values()
                         if one.project_id == project_id and one.name.casefold() == name.casefold()), None)  # fmt: skip
        if existing and query.get("overwrite") != "true":
            raise Refused("409006", f"there is a {kind[:-1]} {name} already")

        def work() -> None:
            if self.is_deaf:
                return
            file = self.folder / f"{uuid.uuid4()}.{ending}"
            file.write_bytes(content)
            links, sheets = self._open_as_tableau(file)
            self._now += timedelta(seconds=1)
            # whatever login was sent along or stored before: it is gone
            item_id = existing.item_id if existing else str(uuid.uuid4())
            self.items[kind][item_id] = Item(
                item_id, name, project_id, wanted.get("description"), file, links, sheets, self._now,
                has_extracts=ending.endswith("x"), versions=existing.versions + 1 if existing else 1,
            )  # fmt: skip

        if query.get("asJob") == "true":
            return self._new_job(work)
        work()
        return _xml(self._item(kind, next(one for one in self.items[kind].values() if one.name == name)), 201)

    def _open_as_tableau(self, file: Path) -> tuple[list[Link], list[str]]:
        """The connections and the visible sheets of a file that was published."""
        if file.suffix == ".hyper":
            try:
                with self._open(file) as hyper:
                    tables = [t for s in hyper.catalog.get_schema_names() for t in hyper.catalog.get_table_names(s)]
            except HyperException:
                raise Refused("400011", "the file is no Hyper file") from None
            if len(tables) != 1:  # several are joined by foreign keys, or refused
                raise Refused("400011", f"the file has {len(tables)} tables that nothing joins")
            return [Link("hyper", "")], []
        content = file.read_bytes()
        if file.suffix.endswith("x"):
            with zipfile.ZipFile(io.BytesIO(content)) as package:
                content = package.read(next(n for n in package.namelist() if n.endswith((".twb", ".tds"))))
        try:
            root = ElementTree.fromstring(content)
        except ElementTree.ParseError as error:
            raise Refused("400011", f"the file is not well formed: {error}") from None
        links = [Link(str(c.get("class")), str(c.get("server", ""))) for c in root.iter("connection")
                 if c.get("class") not in (None, "federated")]  # fmt: skip
        if not file.suffix.endswith("x") and any(link.kind == "hyper" for link in links):
            raise Refused("400011", "the file names a file next to it: publish the package of both")
        hidden = {window.get("name") for window in root.iter("window") if window.get("hidden") == "true"}
        sheets = [str(s.get("name")) for kind in ("worksheets/worksheet", "dashboards/dashboard")
                  for s in root.findall(kind) if s.get("name") not in hidden]  # fmt: skip
        return links, sheets

    def _set_login(self, one: Item, link_id: str, body: bytes) -> Reply:
        wanted = ElementTree.fromstring(body).find("connection")
        assert wanted is not None
        link = next((link for link in one.links if link.link_id == link_id), None)
        if link is None:
            raise Refused("404019", f"there is no connection {link_id}")
        given = {name: value for name, value in wanted.attrib.items() if name not in self.forgets}
        link.user = given.get("userName", link.user)
        link.password = given.get("password", link.password)
        link.authentication = given.get("authenticationType", link.authentication)
        link.is_embedded = given.get("embedPassword") == "true"
        return _xml(_link(link))

    def _refresh(self, one: Item) -> Reply:
        if not one.has_extracts or not any(link.kind == "snowflake" for link in one.links):
            raise Refused("400083", f"{one.name} has no extract to refresh")
        if any(job.item_id == one.item_id and job.finish_code is None for job in self.jobs.values()):
            for job in self.jobs.values():  # it is kept alive by requests
                job.looks -= job.item_id == one.item_id
                if job.looks <= 0 and job.finish_code is None:
                    self._end(job)
            raise Refused("409093", "a refresh of it is queued already")

        def work() -> None:
            if any(link.kind == "snowflake" and not link.is_embedded for link in one.links):
                raise Refused("400000", "the connection has no login")
            one.refreshes += 1

        return self._new_job(work, one.item_id)

    def add_refresh(self, one: Item) -> None:
        """Of somebody else."""
        self._new_job(lambda: None, one.item_id)

    def _update(self, source: Item, query: dict[str, str], request_id: str, actions: list[dict[str, Any]]) -> Reply:
        if (source.item_id, request_id) in self._updates:  # within 24 hours: not done again
            if not self.tells_jobs_again:
                return _xml("", 202)
            return self._tell(self.jobs[self._updates[source.item_id, request_id]], 202)
        if source.file.suffix != ".hyper":
            raise Refused("400000", "the data source is not live to Hyper")
        payload = self._uploaded(query["uploadSessionId"])

        def work() -> None:
            file = self.folder / f"{uuid.uuid4()}.hyper"
            file.write_bytes(payload)
            self._apply(source.file, file, actions)
            self.applied.append(request_id)

        answer = self._new_job(work)
        self._updates[source.item_id, request_id] = next(reversed(self.jobs))
        return answer

    def _apply(self, target: Path, payload: Path, actions: list[dict[str, Any]]) -> None:
        """All actions, or none of them."""
        with self._open(target) as hyper:
            hyper.catalog.attach_database(payload, alias="payload")
            hyper.execute_command("begin transaction")
            try:
                for action in actions:
                    for statement in self._statements(hyper, target, action):
                        hyper.execute_command(statement)
            except (HyperException, KeyError, Refused) as problem:
                hyper.execute_command("rollback")
                raise Refused("400000", f"{action.get('action')}: {problem}") from None
            hyper.execute_command("commit")

    def _statements(self, hyper: Connection, target: Path, action: dict[str, Any]) -> Iterator[str]:
        into = TableName(target.stem, action["target-schema"], action["target-table"])
        source = TableName("payload", action["source-schema"], action["source-table"])
        columns = [column.name for column in hyper.catalog.get_table_definition(into).columns]
        if set(columns) != {column.name for column in hyper.catalog.get_table_definition(source).columns}:
            raise Refused("400000", "the columns are not those of the target")
        listed = ", ".join(str(column) for column in columns)
        insert = f"insert into {into} ({listed}) select {listed} from {source}"
        if action["action"] == "replace":
            yield f"delete from {into}"
            yield insert
        elif action["action"] == "insert":
            yield insert
        elif action["action"] in ("upsert", "delete"):
            condition = action["condition"]
            assert condition["op"] == "eq", condition
            theirs, ours = (escape_name(condition[key]) for key in ("target-col", "source-col"))
            yield f"delete from {into} where {theirs} in (select {ours} from {source})"
            if action["action"] == "upsert":
                yield insert
        else:
            raise Refused("400000", f"there is no action {escape_string_literal(action['action'])}")

    def _new_job(self, work: Callable[[], None], item_id: str | None = None) -> Reply:
        job = Job(str(uuid.uuid4()), work, self.looks, item_id)
        self.jobs[job.job_id] = job
        return self._tell(job, 202)

    def _look(self, job_id: str) -> Reply:
        job = self.jobs.get(job_id)
        if job is None:
            raise Refused("404031", f"there is no job {job_id}")
        job.looks -= 1
        if job.looks <= 0 and job.finish_code is None:
            self._end(job)
        return self._tell(job)

    def _end(self, job: Job) -> None:
        if self.failing_jobs:
            job.finish_code, job.note = 1, self.failing_jobs.popleft()
            return
        try:
            job.work()
            job.finish_code = 0
        except Refused as refused:
            job.finish_code, job.note = 1, refused.detail

    def _tell(self, job: Job, status: int = 200) -> Reply:
        ended = "" if job.finish_code is None else f' completedAt="2026-06-30T05:10:00Z" finishCode="{job.finish_code}"'
        notes = f"<extractRefreshJob><notes>{job.note}</notes></extractRefreshJob>" if job.note else ""
        return _xml(f'<job id="{job.job_id}" mode="Asynchronous" type="Work" progress="50"'
                    f' createdAt="2026-06-30T05:09:00Z"{ended}>{notes}</job>', status)  # fmt: skip

    def _validate(self, headers: Any, body: bytes) -> Reply:
        if tuple(map(int, self.api_version.split("."))) < (3, 29):
            raise Refused("404000", "there is no such resource")
        if headers.get("accept") != "application/json":
            raise Refused("406000", "it answers in JSON")
        name, content = _parts(headers, body)["tableau_workbook"]
        if not name.endswith(".twb"):
            return _json({"message": "not a .twb"}, 400)
        found: dict[str, Any] = {"timestamp": "2026-06-30T05:00:00.000Z", **self.findings}
        try:
            ElementTree.fromstring(content)
        except ElementTree.ParseError as error:
            line, column = error.position
            found["errors"] = [{"severity": "ERROR", "message": str(error), "line": line, "column": column}]
        return _json(found, 422 if found.get("errors") else 200)

    @contextmanager
    def _open(self, file: Path) -> Iterator[Connection]:
        with Connection(_hyperd().endpoint, file, CreateMode.NONE) as hyper:
            yield hyper

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or each answer waits 40 ms between its head and its body

            def do_GET(self):
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                try:
                    answer = stand_in.respond(self.command, parts.path, query, self.headers, body)
                except Exception as mistake:  # of the stand-in or of who calls it: `tableau_stand_in` says it
                    stand_in.mistakes.append(repr(mistake))
                    answer = _error("400000", "see the test's own error")
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, content = answer
                with suppress(ConnectionError):  # who a late response no longer reaches
                    self.send_response_only(status)
                    for name, value in ({"date": self.date_time_string()} | headers).items():
                        self.send_header(name, value)
                    self.send_header("content-length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)

            do_POST = do_PUT = do_PATCH = do_GET  # noqa: N815

            def log_message(self, *_):
                pass

        return Handler


@cache
def _hyperd() -> HyperProcess:
    """One for all stand-ins, which keeps nothing but the files that are open, and no log."""
    process = HyperProcess(Telemetry.DO_NOT_SEND_USAGE_DATA_TO_TABLEAU, parameters={"log_config": ""})
    atexit.register(process.close)
    return process


def _passes(one: Item, wanted: str | None) -> bool:
    if wanted is None:
        return True
    name, operator, value = wanted.split(":")
    assert (name, operator) == ("name", "eq"), wanted
    return one.name.casefold() == value.casefold()


def _link(link: Link) -> str:
    """A connection as it is shown: without the password."""
    return (
        f'<connection id="{link.link_id}" type="{link.kind}" serverAddress={quoteattr(link.server)} serverPort=""'
        f' userName={quoteattr(link.user)} authenticationType="{link.authentication}"'
        f' embedPassword="{str(link.is_embedded).lower()}" />'
    )


def _parts(headers: Any, body: bytes) -> dict[str, tuple[str, bytes]]:
    """The parts of a multipart/mixed body: by name, the file's name and its content."""
    kind, _, boundary = headers["content-type"].partition("; boundary=")
    assert kind == "multipart/mixed", kind
    parts = {}
    for part in body.split(f"--{boundary}".encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        found = dict(re.findall(r'(\w+)="([^"]*)"', head.decode()))
        parts[found["name"]] = (found.get("filename", ""), content.removesuffix(b"\r\n"))
    return parts


def _xml(content: str, status: int = 200) -> Reply:
    whole = f'<?xml version="1.0" encoding="UTF-8"?><tsResponse xmlns="{NAMESPACE}">{content}</tsResponse>'
    return status, {"content-type": "application/xml;charset=utf-8"}, whole.encode()


def _json(content: Any, status: int) -> Reply:
    return status, {"content-type": "application/json"}, json.dumps(content).encode()


def _error(code: str, detail: str) -> Reply:
    found = f'<error code="{code}"><summary>Refused</summary><detail>{detail}</detail></error>'
    return _xml(found, int(code[:3]))


@contextmanager
def tableau_stand_in() -> Iterator[TableauStandIn]:
    """A site with one project, `Marketing`; at the end it says what it could not take."""
    with tempfile.TemporaryDirectory(prefix="tableau-") as folder:
        stand_in = TableauStandIn(Path(folder))
        stand_in.add_project("Marketing")
        stand_in.start()
        try:
            yield stand_in
        finally:
            stand_in.stop()
    assert not stand_in.mistakes, stand_in.mistakes
