"""The routes of the page. Whatever changes something is a POST with JSON that only the page itself can send."""

import asyncio
import getpass
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import yaml
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from flows.adapters.campaign_page import rendering
from flows.adapters.campaign_page.campaign_files import CampaignFile, CampaignFiles, FileRefused
from flows.adapters.campaign_page.desk import Desk, Overview, Refusal
from flows.adapters.campaign_page.form import Typed, Unfit, check, to_document
from flows.adapters.campaign_page.guard import Denied, Guard, Session, cookie
from flows.adapters.campaign_page.language import Language, preferred
from flows.adapters.campaign_page.mount import PATH
from flows.adapters.campaign_page.rendering import Shell
from flows.adapters.campaign_page.sentences import refusal
from flows.adapters.campaign_page.yaml_text import as_yaml, rewritten
from functions.churn_api.access import Access
from functions.churn_api.asgi import App

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024
LANGUAGE_COOKIE = "campaign_page_language"
_ASSETS = {"page.css": "text/css", "page.js": "text/javascript"}
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}

T = TypeVar("T")


@dataclass(frozen=True)
class Asked:
    """A request that may be served, the language of its answer, its session, and who sent it."""

    request: Request
    say: Language
    session: Session
    caller: str
    root: str
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class CampaignPage:
    """The handlers. The desk has one request at a time, in a thread: it may take a while."""

    files: CampaignFiles
    desk: Desk
    guard: Guard
    base_path: str = ""
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def app(self) -> App:
        """The page as an ASGI app."""
        root = f"{self.base_path}{PATH}"
        pages = [("", self.calendar), ("/new", self.new), ("/file/{name}", self.file), ("/of/{name}", self.result)]
        changes = [("/preview", self.preview), ("/save", self.save), ("/approve", self.approve),
                   ("/launch", self.launch), ("/sign-out", self.sign_out)]  # fmt: skip
        routes = [Route(f"{root}/{name}", _asset(name)) for name in _ASSETS]
        routes += [Route(root + path, self._shown(handler)) for path, handler in pages]
        routes += [Route(root + path, self._done(handler), methods=["POST"]) for path, handler in changes]
        routes.append(Route(f"{root}/sign-in", self.sign_in, methods=["POST"]))
        if self.base_path:  # a proxy may take it off
            routes += [Route(route.path.removeprefix(self.base_path), route.endpoint, methods=route.methods and
                             [*route.methods]) for route in routes]  # fmt: skip
        return Starlette(routes=routes, exception_handlers={404: self._nothing})

    # pages

    async def calendar(self, asked: Asked) -> str:
        """All campaigns."""
        overview, notice = await self._overview(asked)
        files = []
        for name in self.files.names():
            try:
                files.append(self.files.read(name))
            except FileRefused as refused:
                notice = f"{notice} {asked.say(refused.key, name=name)}".strip()
        return rendering.calendar(self._shell(asked), overview, files, self.files.folder, notice)

    async def new(self, asked: Asked) -> str:
        """An empty form, or one filled from another campaign's file."""
        overview, notice = await self._overview(asked)
        document: dict[str, Any] = {}
        if template := asked.request.query_params.get("from"):
            document = dict(_document(self.files.read(template), asked.say)) | {"name": ""}
        return rendering.form(self._shell(asked), overview, document, None, notice)

    async def file(self, asked: Asked) -> str:
        """The form of a file."""
        overview, notice = await self._overview(asked)
        file = self.files.read(asked.request.path_params["name"])
        try:
            document: Mapping[str, Any] = _document(file, asked.say)
        except Refusal as refused:
            document, notice = {}, f"{notice} {refused}".strip()
        return rendering.form(self._shell(asked), overview, document, file, notice)

    async def result(self, asked: Asked) -> str:
        """What a launched campaign changed."""
        overview = await self._ask(self.desk.overview)
        name = asked.request.path_params["name"]
        found = next((campaign for campaign in overview.launched if campaign.name == name), None)
        if found is None:
            raise Denied("no_such_page", 404)
        return rendering.result(self._shell(asked), overview, found)

    # what a page sends

    async def preview(self, asked: Asked) -> Mapping[str, Any]:
        """What the campaign in the form would do; nothing is written."""
        document, _ = self._typed(asked)
        check(document, asked.say)
        async with self._turn:
            if await asked.request.is_disconnected():  # the form has changed since
                return {}
            found = await asyncio.to_thread(self.desk.preview, as_yaml(document), str(document.get("name")))
        shell = self._shell(asked)
        if isinstance(found, date):
            return {"html": rendering.message_part(shell, asked.say("was_launched", day=asked.say.day(found)))}
        return {"html": rendering.preview(shell, found)}

    async def save(self, asked: Asked) -> Mapping[str, Any]:
        """Writes the form as YAML; where comments of the file would be lost, only once that was confirmed."""
        document, file = self._typed(asked)
        check(document, asked.say)
        text, lost = (as_yaml(document), ()) if file is None else rewritten(file.text, document)
        if lost and asked.body.get("may_lose_comments") is not True:
            return {"lost": list(lost)}
        name = file.path.name if file else f"{document['name']}.yml"
        before = str(asked.body.get("digest")) if file else None
        saved = await asyncio.to_thread(self.files.save, name, text, before)
        return {"goto": f"{asked.root}/file/{saved.path.name}"}

    async def approve(self, asked: Asked) -> Mapping[str, Any]:
        """Puts on record who approves the file as it is."""
        name, digest = _texts_of(asked, "file", "digest")
        check(_document(self.files.read(name), asked.say), asked.say)
        by = asked.caller if self.guard.access.keys else _user()
        await asyncio.to_thread(self.files.approve, name, digest, by)
        return {"goto": f"{asked.root}/file/{name}"}

    async def launch(self, asked: Asked) -> Mapping[str, Any]:
        """Freezes and sends a campaign whose file was approved, by its typed name."""
        name, digest, typed = _texts_of(asked, "file", "digest", "typed")
        file = self.files.read(name)
        if file.approval is None or file.digest != digest:
            raise Refusal(asked.say("not_approved"))
        campaign = check(_document(file, asked.say), asked.say).name
        if typed.strip() != campaign:
            raise Refusal(asked.say("wrong_typed_name"))
        log.warning("launching %s", campaign, extra={"caller": asked.caller})
        done = await self._ask(lambda: self.desk.launch(file.path, digest))
        return {"html": rendering.launched(self._shell(asked), campaign, done)}

    async def sign_out(self, asked: Asked) -> Mapping[str, Any]:
        """Ends the session."""
        self.guard.close(asked.session)
        return {"goto": asked.root}

    async def sign_in(self, request: Request) -> Response:
        """A session for a valid API key."""
        headers, say = _headers(request), _language(request)
        try:
            session = self.guard.check_origin(headers, self.guard.session(headers))
            key = str((await _body(request)).get("key", "")).strip()
            opened = self.guard.open(key)
            try:
                self.guard.caller(request.scope, {"host": headers.get("host", "")}, opened)
            except Denied as denied:
                self.guard.close(opened)
                raise Denied("key_wrong", 401) if denied.key == "key_needed" else denied from None
        except Denied as denied:
            return _json({"problem": say(denied.key)}, denied.status)
        self.guard.close(session)  # one that somebody else may have planted
        root = self._root(request)
        is_https = headers["origin"].startswith("https:")
        return _json({"goto": root}, 200, {"set-cookie": cookie(opened, root, is_https=is_https)})

    # what all of them share

    def _shown(self, handler: Callable[[Asked], Awaitable[str]]) -> Callable[[Request], Awaitable[Response]]:
        async def show(request: Request) -> Response:
            headers, say, root = _headers(request), _language(request), self._root(request)
            if chosen := request.query_params.get("lang"):
                response: Response = RedirectResponse(request.url.path, 303)
                code = "fr" if chosen == "fr" else "en"
                response.set_cookie(LANGUAGE_COOKIE, code, path=root, samesite="strict", max_age=31_536_000)
                return response
            session = self.guard.session(headers)
            is_new, session = session is None, session or self.guard.open()
            shell = Shell(say, root, self.guard.token(session))
            status = 200
            try:
                caller = self.guard.caller(request.scope, headers, session)
                page = await handler(Asked(request, say, session, caller, root))
            except Denied as denied:
                status = denied.status
                page = rendering.sign_in(shell) if denied.key == "key_needed" else rendering.message(
                    shell, say(denied.key))  # fmt: skip
            except FileRefused as refused:
                status, page = 404, rendering.message(shell, say(refused.key, name=refused.name))
            except Refusal as refused:
                status, page = 409, rendering.message(shell, refusal(say, refused))
            response = HTMLResponse(page, status, _HEADERS)
            if is_new:
                response.headers["set-cookie"] = cookie(session, root, is_https=False)
            return response

        return show

    def _done(
        self, handler: Callable[[Asked], Awaitable[Mapping[str, Any]]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def do(request: Request) -> Response:
            headers, say = _headers(request), _language(request)
            try:
                found = self.guard.session(headers)
                caller = self.guard.caller(request.scope, headers, found)
                session = self.guard.check_origin(headers, found)
                body = await _body(request)
                return _json(await handler(Asked(request, say, session, caller, self._root(request), body)))
            except Denied as denied:
                return _json({"problem": say(denied.key)}, denied.status)
            except Unfit as unfit:
                return _json({"problems": unfit.problems}, 422)
            except FileRefused as refused:
                return _json({"problem": say(refused.key, name=refused.name)}, 409)
            except Refusal as refused:
                return _json({"problem": refusal(say, refused)}, 409)
            except ClientDisconnect:
                return Response(status_code=400)
            except Exception:
                log.exception("a request of the campaign page failed")
                return _json({"problem": say("failed")}, 500)

        return do

    async def _nothing(self, request: Request, _: Exception) -> Response:
        say = _language(request)
        return HTMLResponse(
            rendering.message(Shell(say, self._root(request), ""), say("no_such_page")), 404, _HEADERS
        )  # fmt: skip

    async def _overview(self, asked: Asked) -> tuple[Overview | None, str]:
        """The last run, or why there is none to show."""
        try:
            return await self._ask(self.desk.overview), ""
        except Refusal as refused:
            return None, refusal(asked.say, refused)

    async def _ask(self, question: Callable[[], T]) -> T:
        async with self._turn:
            return await asyncio.to_thread(question)

    def _typed(self, asked: Asked) -> tuple[dict[str, Any], CampaignFile | None]:
        """The document that the form describes, and the file that it was read from."""
        values, name = asked.body.get("values"), asked.body.get("file")
        if not isinstance(values, dict):
            raise Denied("body_wrong", 400)
        file = self.files.read(name) if isinstance(name, str) and name else None
        try:
            before = _document(file, asked.say) if file else {}
        except Refusal:  # it is written anew
            before = {}
        return to_document(_only_texts(values), before, asked.say), file

    def _shell(self, asked: Asked) -> Shell:
        return Shell(asked.say, asked.root, self.guard.token(asked.session), asked.session.key is not None)

    def _root(self, request: Request) -> str:
        path = request.url.path
        return f"{self.base_path}{PATH}" if path.startswith(f"{self.base_path}{PATH}") else PATH


def campaign_page(
    folder: Path, desk: Desk, access: Access, clock: Callable[[], datetime], base_path: str = ""
) -> App:  # fmt: skip
    """The page over a folder of campaign files."""
    return CampaignPage(CampaignFiles(folder, clock), desk, Guard(access), base_path).app()


def _document(file: CampaignFile, say: Language) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(file.text)
    except yaml.YAMLError as error:
        raise Refusal(say("file_not_yaml", name=file.path.name, why=" ".join(str(error).split()))) from None
    if not isinstance(content, dict):
        raise Refusal(say("file_not_yaml", name=file.path.name, why="–"))
    return content


def _only_texts(values: Mapping[str, Any]) -> Typed:
    return {
        str(key): value
        for key, value in values.items()
        if isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value))
    }


def _texts_of(asked: Asked, *names: str) -> list[str]:
    values = [asked.body.get(name) for name in names]
    if not all(isinstance(value, str) for value in values):
        raise Denied("body_wrong", 400)
    return [str(value) for value in values]


async def _body(request: Request) -> Mapping[str, Any]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Denied("body_wrong", 415)
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise Denied("body_wrong", 413)
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise Denied("body_wrong", 400) from None
    if not isinstance(content, dict):
        raise Denied("body_wrong", 400)
    return content


def _headers(request: Request) -> dict[str, str]:
    """By name; a request with two Host headers has none."""
    found = dict(request.headers.items())
    if len(request.headers.getlist("host")) != 1:
        found.pop("host", None)
    return found


def _language(request: Request) -> Language:
    chosen = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    if chosen in ("en", "fr"):
        return Language("fr" if chosen == "fr" else "en")
    return Language(preferred(request.headers.get("accept-language", "")))


def _json(content: Mapping[str, Any], status: int = 200, more: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(content, status, {**_HEADERS, **(more or {})})


def _asset(name: str) -> Callable[[Request], Awaitable[Response]]:
    content = (Path(__file__).parent / name).read_bytes()

    async def asset(_: Request) -> Response:
        return Response(content, media_type=_ASSETS[name], headers=_HEADERS)

    return asset


def _user() -> str:
    """Who is signed in on this machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may have no such user
        return "loopback"
