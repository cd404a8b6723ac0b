"""A stand-in for Mailchimp: the part of its Marketing API that we write to, over HTTP on this machine.

It answers as Mailchimp's documentation and its users say that Mailchimp does, and is as particular. The key belongs to
a data centre. A merge field has to exist; its tag has at most 10 characters, an audience at most 30 of them, and a text
at most 255 bytes. Who has unsubscribed, bounced or been deleted for good cannot be subscribed again. A new member needs
a status. A segment takes 500 members at once, and says of those who were in it before only that they were not added.
More than 10 requests at the same time are refused, without saying until when. `intervene` says what becomes of one
instead.
"""

import hashlib
import re
import threading
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.stand_ins.json_server import Answer, Intervention, JsonServer, Refusal, Request

KEY, AUDIENCE = "0123456789abcdef0123456789abcdef-us6", "a1b2c3d4e5"
MAX_AT_ONCE, MAX_ADDED, MAX_PAGE, MAX_FIELDS, MAX_TAG, MAX_TEXT = 10, 500, 1_000, 30, 10, 255
PROBLEM = {"content-type": "application/problem+json; charset=utf-8"}
_ADDRESS = re.compile(r"[^@\s,\"]+@[^@\s,\"]+\.[^@\s,\"]+")
_STATUSES = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional")


class Refused(Refusal):
    """Mailchimp does not like a request."""

    def __init__(self, title: str, detail: str, status: int = 400, **errors: str):
        body: dict[str, Any] = {"type": "https://mailchimp.com/developer/marketing/docs/errors/", "title": title}
        body |= {"status": status, "detail": detail, "instance": "i"}
        if errors:
            body["errors"] = [{"field": name, "message": message} for name, message in errors.items()]
        super().__init__(Answer(status, body, PROBLEM))


def too_many_at_once() -> Answer:
    detail = "You have exceeded the limit of 10 simultaneous connections."
    return Refused("Too Many Requests", detail, 429).answer


@dataclass
class Member:
    email: str
    status: str = "subscribed"
    merge_fields: dict[str, Any] = field(default_factory=dict)
    is_deleted: bool = False  # for good, at their own request

    def as_json(self) -> dict[str, Any]:
        return {"id": _hash(self.email), "email_address": self.email, "status": self.status}


@dataclass
class Segment:
    name: str
    type: str = "static"
    members: set[str] = field(default_factory=set)


class Mailchimp(JsonServer):
    """`members` by the hash of their address, `segments` by id, `merge_fields`: types by tag. `unmarked`: it does not
    say whom a segment did not take."""

    def __init__(self, intervene: Intervention = lambda request: None) -> None:
        super().__init__(intervene)
        self.members: dict[str, Member] = {}
        self.segments: dict[int, Segment] = {}
        self.merge_fields = {"FNAME": "text", "LNAME": "text", "ADDRESS": "address", "PHONE": "phone"}
        self.most_at_once, self.unmarked = 0, False
        self._under_way, self._counting = 0, threading.Lock()

    def add(self, email: str, **more: Any) -> Member:
        member = Member(email.lower(), **more)
        self.members[_hash(email)] = member
        return member

    def add_segment(self, name: str, *members: str, **more: Any) -> int:
        self.segments[len(self.segments) + 1001] = Segment(name, members=set(members), **more)
        return len(self.segments) + 1000

    def answer(self, method: str, url: str, body: Any, headers: Mapping[str, str]) -> Answer:
        with self._counting:
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
            is_too_many = self._under_way > MAX_AT_ONCE
        try:
            return too_many_at_once() if is_too_many else super().answer(method, url, body, headers)
        finally:
            with self._counting:
                self._under_way -= 1

    def check(self, request: Request, headers: Mapping[str, str]) -> None:
        kind, _, credentials = headers.get("authorization", "").partition(" ")
        key = b64decode(credentials).decode().partition(":")[2] if kind == "Basic" else ""
        if key.rpartition("-")[0] == KEY.rpartition("-")[0] and key != KEY:
            raise Refused("Wrong Datacenter", "The API key provided is linked to another datacenter.", 403)
        if key != KEY:
            raise Refused(
                "API Key Invalid", "Your API key may be invalid, or you've attempted the wrong datacenter.", 401
            )

    def route(self, request: Request, path: list[str]) -> Answer:
        body, query = request.body or {}, request.query
        if path[:2] != ["3.0", "lists"] or path[2] != AUDIENCE:
            raise _no_resource()
        match request.method, path[3:]:
            case "GET", ["merge-fields"]:
                return _page("merge_fields", [{"tag": k, "type": v} for k, v in self.merge_fields.items()], query)
            case "POST", ["merge-fields"]:
                return self._make_field(body)
            case "GET", ["members", hashed]:
                return Answer(200, self._member(hashed).as_json())
            case "GET", ["members", hashed, "tags"]:
                email = self._member(hashed).email
                found = [{"id": one, "name": of.name} for one, of in self.segments.items() if email in of.members]
                return _page("tags", found, query)
            case "PATCH", ["members", hashed]:
                return self._change(self._member(hashed), body, body.get("status"))
            case "PUT", ["members", hashed]:
                return self._put(hashed, body)
            case "GET", ["segments"]:
                found = [{"id": one, "name": of.name, "type": of.type} for one, of in self.segments.items()]
                return _page("segments", found, query)
            case "POST", ["segments"]:
                return self._make_segment(body)
            case "POST", ["segments", segment]:
                return self._add_to(self.segments[int(segment)], body["members_to_add"])
            case "GET", ["segments", segment, "members"]:
                return _page(
                    "members", [{"email_address": one} for one in sorted(self.segments[int(segment)].members)], query
                )
        raise _no_resource()

    def _member(self, hashed: str) -> Member:
        if hashed not in self.members or self.members[hashed].is_deleted:
            raise _no_resource()
        return self.members[hashed]

    def _put(self, hashed: str, body: Mapping[str, Any]) -> Answer:
        email = body["email_address"]
        if not _ADDRESS.fullmatch(email):
            raise Refused("Invalid Resource", f"{email} looks fake or invalid, please enter a real email address.")
        if hashed != _hash(email):
            raise Refused("Invalid Resource", "The hash is not that of the address.")
        there = self.members.get(hashed)
        if there and there.is_deleted:
            detail = f"{email} was permanently deleted and cannot be re-imported. The contact must re-subscribe."
            raise Refused("Forgotten Email Not Subscribed", detail)
        if there:
            return self._change(there, body, body.get("status"))
        if body.get("status_if_new") not in _STATUSES:
            raise Refused("Invalid Resource", "The resource could not be validated.", status_if_new="is required")
        self._require_fields(body)
        return self._change(self.add(email), body, body["status_if_new"])

    def _change(self, member: Member, body: Mapping[str, Any], status: str | None) -> Answer:
        if status == "subscribed" and member.status in ("unsubscribed", "cleaned"):
            detail = f"{member.email} is in a compliance state due to unsubscribe, bounce, or compliance review."
            raise Refused("Member In Compliance State", detail)
        self._require_fields(body)
        member.status = status or member.status
        for name, value in body.get("merge_fields", {}).items():
            if value == "":
                member.merge_fields.pop(name, None)
            else:
                member.merge_fields[name] = value
        return Answer(200, member.as_json())

    def _require_fields(self, body: Mapping[str, Any]) -> None:
        for name, value in body.get("merge_fields", {}).items():
            kind = self.merge_fields.get(name)
            if kind is None:
                raise Refused("Invalid Resource", "Your merge fields were invalid.", **{name: "There is no such field"})
            if kind == "number" and not isinstance(value, int | float) and value != "":
                raise Refused("Invalid Resource", "Your merge fields were invalid.", **{name: "Please enter a number"})
            if isinstance(value, str) and len(value.encode()) > MAX_TEXT:
                raise Refused("Invalid Resource", "Your merge fields were invalid.", **{name: "Data is too long"})

    def _make_field(self, body: Mapping[str, Any]) -> Answer:
        tag = body["tag"]
        if not re.fullmatch(rf"[A-Z0-9_]{{1,{MAX_TAG}}}", tag):
            raise Refused("Invalid Resource", "The resource could not be validated.", tag="at most 10 characters")
        if len(body["name"]) > 50 or body["type"] not in ("text", "number"):
            raise Refused("Invalid Resource", "The resource could not be validated.", name="is too long")
        if tag in self.merge_fields:
            raise Refused("Invalid Resource", f'A Merge Field with the tag "{tag}" already exists for this list.')
        if len(self.merge_fields) >= MAX_FIELDS:
            raise Refused("Bad Request", "You have reached the limit of 30 merge fields of your plan.")
        self.merge_fields[tag] = body["type"]
        return Answer(200, {"tag": tag})

    def _make_segment(self, body: Mapping[str, Any]) -> Answer:
        if not 0 < len(body["name"]) <= 100:
            raise Refused("Invalid Resource", "The resource could not be validated.", name="is too long")
        if any(of.name.lower() == body["name"].lower() for of in self.segments.values()):
            raise Refused("Bad Request", "Sorry, that tag already exists.")
        return Answer(200, {"id": self.add_segment(body["name"], *body["static_segment"])})

    def _add_to(self, segment: Segment, addresses: list[str]) -> Answer:
        if not 0 < len(addresses) <= MAX_ADDED:
            raise Refused("Invalid Resource", "Please provide at most 500 items in members_to_add.")
        known = {one.email for one in self.members.values() if one.status != "archived" and not one.is_deleted}
        new = [one for one in addresses if one in known and one not in segment.members]
        segment.members.update(new)
        left = [one for one in addresses if one not in new]
        errors = (
            [{"email_addresses": left, "error": "Email addresses not added."}] if left and not self.unmarked else []
        )
        return Answer(200, {"members_added": [{"email_address": one} for one in new], "errors": errors})


def _no_resource() -> Refused:
    return Refused("Resource Not Found", "The requested resource could not be found.", 404)


def _hash(address: str) -> str:
    return hashlib.md5(address.lower().encode(), usedforsecurity=False).hexdigest()


def _page(key: str, found: list[dict[str, Any]], query: Mapping[str, str]) -> Answer:
    size, start = int(query.get("count", 10)), int(query.get("offset", 0))
    if size > MAX_PAGE:
        raise Refused("Invalid Resource", "The resource could not be validated.", count="is at most 1000")
    return Answer(200, {key: found[start : start + size], "total_items": len(found)})
