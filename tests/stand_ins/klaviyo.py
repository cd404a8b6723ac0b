"""A stand-in for Klaviyo: the part of its API that we write to, over HTTP on this machine.

It answers as Klaviyo's documentation says that Klaviyo does, and is as particular. Each request has the key,
a revision and Klaviyo's media type. Pages have at most 100 profiles, and an addition to a list 1,000. An
address has to be one. Two lists may have the same name. `intervene` says what becomes of a request instead.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.stand_ins.hubspot import DO_AND_HANG_UP, HANG_UP, Answer, Intervention, Request

KEY = "pk_of_a_test"
MEDIA_TYPE = "application/vnd.api+json"
MAX_PAGE, MAX_ADDED = 100, 1_000
_ADDRESS = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+")


class Refused(Exception):
    """Klaviyo does not like a request."""

    def __init__(self, detail: str, status: int = 400, code: str = "invalid"):
        errors = [
            {"id": "e", "code": code, "title": "Invalid input.", "detail": detail, "source": {"pointer": "/data"}}
        ]
        self.answer = Answer(status, {"errors": errors})


@dataclass
class Profile:
    id: str
    email: str
    properties: dict[str, Any] = field(default_factory=dict)
    consent: str = "NEVER_SUBSCRIBED"
    suppression: list[dict[str, str]] = field(default_factory=list)

    def as_json(self, query: dict[str, str]) -> dict[str, Any]:
        attributes: dict[str, Any] = {"email": self.email}
        if query.get("additional-fields[profile]") == "subscriptions":
            may = self.consent != "UNSUBSCRIBED" and not self.suppression
            marketing = {"can_receive_email_marketing": may, "consent": self.consent, "suppression": self.suppression}
            attributes["subscriptions"] = {"email": {"marketing": marketing}}
        return {"type": "profile", "id": self.id, "attributes": attributes}


class Klaviyo:
    """`profiles` by id, `lists` by id: name and members. `refuses`: for which paths the key lacks a scope."""

    def __init__(self, intervene: Intervention = lambda request: None) -> None:
        self.intervene = intervene
        self.profiles: dict[str, Profile] = {}
        self.lists: dict[str, tuple[str, set[str]]] = {}
        self.requests: list[Request] = []
        self.refuses: set[str] = set()
        self._lock = threading.Lock()

    def add(self, email: str, **more: Any) -> Profile:
        profile = Profile(f"P{len(self.profiles) + 1}", email.lower(), **more)
        self.profiles[profile.id] = profile
        return profile

    def add_list(self, name: str, *members: str) -> str:
        list_id = f"L{len(self.lists) + 1}"
        self.lists[list_id] = name, set(members)
        return list_id

    def members(self) -> dict[str, set[str]]:
        """Addresses by list."""
        return {name: {self.profiles[one].email for one in ids} for name, ids in self.lists.values()}

    def state(self) -> tuple[dict[str, dict[str, Any]], dict[str, set[str]]]:
        return {of.email: dict(of.properties) for of in self.profiles.values()}, self.members()

    @contextmanager
    def serving(self) -> Iterator[str]:
        with ThreadingHTTPServer(("127.0.0.1", 0), _handler(self)) as server:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
            try:
                yield f"http://127.0.0.1:{server.server_port}"
            finally:
                server.shutdown()

    def answer(self, method: str, url: str, body: Any, headers: Any) -> Answer:
        parts = urlsplit(url)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        with self._lock:
            request = Request(len(self.requests) + 1, method, parts.path, query, body)
            self.requests.append(request)
        instead = self.intervene(request)
        if instead is not None and instead is not DO_AND_HANG_UP:
            return instead
        try:
            self._check(request, headers)
            answer = self._route(request, query)
        except Refused as refused:
            answer = refused.answer
        return HANG_UP if instead is DO_AND_HANG_UP else answer

    def _check(self, request: Request, headers: Any) -> None:
        if headers.get("authorization") != f"Klaviyo-API-Key {KEY}":
            raise Refused("Missing or invalid private key.", 401, "not_authenticated")
        if not re.fullmatch(r"20\d\d-\d\d-\d\d", headers.get("revision", "")):
            raise Refused("A revision header is required.")
        if request.body is not None and headers.get("content-type") != MEDIA_TYPE:
            raise Refused("Unsupported media type.", 415)
        if any(request.path.startswith(f"/api/{path}") for path in self.refuses):
            raise Refused("You do not have permission to perform this action.", 403, "permission_denied")

    def _route(self, request: Request, query: dict[str, str]) -> Answer:
        data = (request.body or {}).get("data")
        match request.method, request.path.strip("/").split("/")[1:]:
            case "GET", ["profiles"]:
                wanted = json.loads(re.fullmatch(r"any\(email,(\[.*\])\)", query["filter"], re.S)[1])
                if len(wanted) > MAX_PAGE:
                    raise Refused("Too many values.")
                emails = {address.lower() for address in wanted}
                return self._page([one for one in self.profiles.values() if one.email in emails], query)
            case "POST", ["profile-import"]:
                return self._import(data, query)
            case "GET", ["lists"]:
                wanted = json.loads(re.fullmatch(r"equals\(name,(\".*\")\)", query["filter"], re.S)[1])
                found = [list_id for list_id, (name, _) in self.lists.items() if name == wanted]
                return Answer(200, {"data": [{"type": "list", "id": one} for one in found], "links": {"next": None}})
            case "POST", ["lists"]:
                return Answer(201, {"data": {"type": "list", "id": self.add_list(data["attributes"]["name"])}})
            case "GET", ["lists", list_id, "profiles"]:
                return self._page([self.profiles[one] for one in sorted(self.lists[list_id][1])], query)
            case "POST", ["lists", list_id, "relationships", "profiles"]:
                if not 0 < len(data) <= MAX_ADDED:
                    raise Refused("Between 1 and 1000 profiles.")
                self.lists[list_id][1].update(one["id"] for one in data if one["id"] in self.profiles)
                return Answer(204, {})
        raise Refused("no such resource", 404, "not_found")

    def _page(self, found: list[Profile], query: dict[str, str]) -> Answer:
        size, start = int(query.get("page[size]", 20)), int(query.get("page[cursor]", 0))
        if size > MAX_PAGE:
            raise Refused("page[size] must be at most 100.")
        following = (
            f"https://a.klaviyo.com/api/x?page%5Bcursor%5D={start + size}" if start + size < len(found) else None
        )
        data = [one.as_json(query) for one in found[start : start + size]]
        return Answer(200, {"data": data, "links": {"next": following}})

    def _import(self, data: dict[str, Any], query: dict[str, str]) -> Answer:
        email = data["attributes"]["email"].lower()
        if not _ADDRESS.fullmatch(email):
            raise Refused(f"Invalid email address: {email}")
        with self._lock:
            there = next((one for one in self.profiles.values() if one.email == email), None)
            if "id" in data:
                there = self.profiles.get(data["id"])
                if there is None:
                    raise Refused("A profile with this id does not exist.", 404, "not_found")
            profile = there or self.add(email)
            for name, value in data["attributes"]["properties"].items():
                if value is None:
                    profile.properties.pop(name, None)
                else:
                    profile.properties[name] = value
        return Answer(200 if there else 201, {"data": profile.as_json(query)})


def _handler(klaviyo: Klaviyo) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_POST(self):
            length = int(self.headers.get("content-length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            answer = klaviyo.answer(self.command, self.path, body, self.headers)
            if answer is HANG_UP:
                self.close_connection = True
                return
            content = b"" if answer.status == 204 else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in {**answer.headers, "content-type": MEDIA_TYPE}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST  # noqa: N815

        def finish(self):
            with suppress(OSError):
                super().finish()

        def log_message(self, *_):
            pass

    return Handler
