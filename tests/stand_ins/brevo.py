"""A stand-in for Brevo: the part of its API that we write to, over HTTP on this machine.

It answers as Brevo's documentation and its users say that Brevo does, and is as particular. An attribute has to exist,
and a value of another type than it is ignored. An address has to be one. A list is in a folder, and takes 150 contacts
at once; where none of them is new to it, it refuses. An update that names the address takes the contact off the
blocklist. 10 requests are taken in a second of `clock`, and a header says when there will be more. The call for batches
of updates, which ended in October 2026, is not there. `intervene` says what becomes of a request instead.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.stand_ins.json_server import Answer, Intervention, JsonServer, Refusal, Request

KEY = "xkeysib-of-a-test"
MAX_PER_SECOND, MAX_ADDED, MAX_PAGE, MAX_MEMBERS_PAGE = 10, 150, 50, 500
BUILT_IN = {"LASTNAME": "text", "FIRSTNAME": "text", "SMS": "text", "EXT_ID": "text"}
_ADDRESS = re.compile(r"[^@\s,\"]+@[^@\s,\"]+\.[^@\s,\"]+")


class Refused(Refusal):
    """Brevo does not like a request."""

    def __init__(self, message: str, code: str = "invalid_parameter", status: int = 400, **headers: str):
        super().__init__(Answer(status, {"code": code, "message": message}, headers))


@dataclass
class Contact:
    id: int
    email: str
    attributes: dict[str, Any] = field(default_factory=dict)
    is_blacklisted: bool = False

    def as_json(self, lists: Mapping[int, "List"]) -> dict[str, Any]:
        return {
            "id": self.id, "email": self.email, "emailBlacklisted": self.is_blacklisted, "smsBlacklisted": False,
            "attributes": self.attributes, "listIds": [one for one, of in lists.items() if self.id in of.members],
        }  # fmt: skip


@dataclass
class List:
    name: str
    folder: int
    members: set[int] = field(default_factory=set)


class Brevo(JsonServer):
    """`contacts`, `folders` and `lists` by id; `attributes`: types of the normal ones, by name. `forbids`: paths that
    the account may not use."""

    def __init__(
        self, intervene: Intervention = lambda request: None, clock: Callable[[], float] | None = None
    ) -> None:
        super().__init__(intervene)
        self.contacts: dict[int, Contact] = {}
        self.folders: dict[int, str] = {1: "Your first folder"}
        self.lists: dict[int, List] = {}
        self.attributes = dict(BUILT_IN)
        self.forbids: set[str] = set()
        self._clock, self._times = clock, list[float]()

    def add(self, email: str, **more: Any) -> Contact:
        contact = Contact(len(self.contacts) + 101, email.lower(), **more)
        self.contacts[contact.id] = contact
        return contact

    def add_list(self, name: str, *members: int, folder: str = "RFM and churn") -> int:
        if folder not in self.folders.values():
            self.folders[len(self.folders) + 1] = folder
        in_folder = next(one for one, its in self.folders.items() if its == folder)
        self.lists[len(self.lists) + 1] = List(name, in_folder, set(members))
        return len(self.lists)

    def check(self, request: Request, headers: Mapping[str, str]) -> None:
        if headers.get("api-key") != KEY:
            raise Refused("Key not found", "unauthorized", 401)
        if request.body is not None and headers.get("content-type") != "application/json":
            raise Refused("Content type is not supported", "invalid_parameter", 415)
        if any(request.path.startswith(path) for path in self.forbids):
            raise Refused("Your account may not do this", "permission_denied", 403)
        if self._clock:
            now = self._clock()
            self._times = [*(time for time in self._times if time > now - 1), now]
            if len(self._times) > MAX_PER_SECOND:
                self._times.pop()
                wait = {"x-sib-ratelimit-limit": "10", "x-sib-ratelimit-remaining": "0", "x-sib-ratelimit-reset": "1"}
                raise Refused("Too many requests", "too_many_requests", 429, **wait)

    def route(self, request: Request, path: list[str]) -> Answer:
        body, query = request.body or {}, request.query
        match request.method, path[1:]:
            case "GET", ["contacts", "attributes"]:
                found = [{"name": name, "category": "normal", "type": kind} for name, kind in self.attributes.items()]
                return Answer(200, {"attributes": found})
            case "POST", ["contacts", "attributes", "normal", name]:
                return self._make_attribute(name, body)
            case "GET", ["contacts", "folders"]:
                return _page("folders", [{"id": one, "name": name} for one, name in self.folders.items()], query)
            case "POST", ["contacts", "folders"]:
                self.folders[len(self.folders) + 1] = body["name"]
                return Answer(201, {"id": len(self.folders)})
            case "GET", ["contacts", "folders", folder, "lists"]:
                found = [(one, of) for one, of in self.lists.items() if of.folder == int(folder)]
                return _page("lists", [{"id": one, "name": of.name} for one, of in found], query)
            case "POST", ["contacts", "lists"]:
                if body.get("folderId") not in self.folders:
                    raise Refused("Folder ID does not exist")
                return Answer(201, {"id": self.add_list(body["name"], folder=self.folders[body["folderId"]])})
            case "GET", ["contacts", "lists", list_id, "contacts"]:
                found = [self.contacts[one] for one in sorted(self._list(list_id).members) if one in self.contacts]
                return _page("contacts", [one.as_json(self.lists) for one in found], query, MAX_MEMBERS_PAGE)
            case "POST", ["contacts", "lists", list_id, "contacts", "add"]:
                return self._add_to(self._list(list_id), body["ids"])
            case "POST", ["contacts"]:
                return self._create(body)
            case "GET", ["contacts", identifier]:
                return Answer(200, self._contact(identifier, query).as_json(self.lists))
            case "PUT", ["contacts", identifier]:
                self._update(self._contact(identifier, query), body)
                return Answer(204, {})
        raise Refused("Route not found", "document_not_found", 404)

    def _list(self, list_id: str) -> List:
        if int(list_id) not in self.lists:
            raise Refused("List ID does not exist", "document_not_found", 404)
        return self.lists[int(list_id)]

    def _contact(self, identifier: str, query: Mapping[str, str]) -> Contact:
        wanted = unquote(identifier).lower()
        if query.get("identifierType") == "contact_id":
            found = self.contacts.get(int(wanted))
        else:
            _require_address(wanted)
            found = next((one for one in self.contacts.values() if one.email == wanted), None)
        if found is None:
            raise Refused("Contact does not exist", "document_not_found", 404)
        return found

    def _create(self, body: Mapping[str, Any]) -> Answer:
        email = body["email"].lower()
        _require_address(email)
        there = next((one for one in self.contacts.values() if one.email == email), None)
        if there and not body.get("updateEnabled"):
            raise Refused("Unable to create contact, email is already associated with another Contact")
        contact = there or self.add(email)
        self._update(contact, body)
        return Answer(204, {}) if there else Answer(201, {"id": contact.id})

    def _update(self, contact: Contact, body: Mapping[str, Any]) -> None:
        if unknown := set(body.get("attributes", {})) - set(self.attributes) - {"EMAIL"}:
            raise Refused(f"Attribute not found: {sorted(unknown)[0]}")
        for name, value in body.get("attributes", {}).items():
            if name == "EMAIL":
                contact.email, contact.is_blacklisted = value, False
            elif value == "":
                contact.attributes.pop(name, None)
            elif isinstance(value, str) == (self.attributes[name] == "text"):
                contact.attributes[name] = value
        if "emailBlacklisted" in body:
            contact.is_blacklisted = body["emailBlacklisted"]

    def _make_attribute(self, name: str, body: Mapping[str, Any]) -> Answer:
        if not re.fullmatch(r"[A-Z0-9_]{1,50}", name):
            raise Refused("Attribute name should be in capital letters")
        if name in self.attributes:
            raise Refused("Attribute name must be unique", "duplicate_parameter")
        if body.get("type") not in ("text", "date", "float", "boolean"):
            raise Refused("Attribute type is invalid")
        self.attributes[name] = body["type"]
        return Answer(201, {})

    def _add_to(self, of: List, ids: list[int]) -> Answer:
        if not 0 < len(ids) <= MAX_ADDED:
            raise Refused("Between 1 and 150 contacts can be added")
        new = [one for one in ids if one in self.contacts and one not in of.members]
        if not new:
            raise Refused("Contact already in list and/or does not exist")
        of.members.update(new)
        return Answer(201, {"contacts": {"success": new, "failure": [one for one in ids if one not in new]}})


def _require_address(text: str) -> None:
    if not _ADDRESS.fullmatch(text):
        raise Refused(f"Invalid email address {text}")


def _page(key: str, found: list[dict[str, Any]], query: Mapping[str, str], most: int = MAX_PAGE) -> Answer:
    size, start = int(query.get("limit", 10)), int(query.get("offset", 0))
    if size > most:
        raise Refused("Limit exceeds max value", "out_of_range")
    in_order = found if query.get("sort") == "asc" else found[::-1]
    return Answer(200, {key: in_order[start : start + size], "count": len(found)})
