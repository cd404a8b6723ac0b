"""A stand-in for Klaviyo: the part of its API that we write to, over HTTP on this machine.

It answers as Klaviyo's documentation says that Klaviyo does, and is as particular. Each request has the key,
a revision and Klaviyo's media type. Pages have at most 100 profiles, and an addition to a list 1,000. An
address has to be one. Two lists may have the same name. `intervene` says what becomes of a request instead.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.stand_ins.json_server import Answer, Intervention, JsonServer, Refusal, Request

KEY = "pk_of_a_test"
MEDIA_TYPE = "application/vnd.api+json"
MAX_PAGE, MAX_ADDED = 100, 1_000
_ADDRESS = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+")


class Refused(Refusal):
    """Klaviyo does not like a request."""

    def __init__(self, detail: str, status: int = 400, code: str = "invalid"):
        errors = [
            {"id": "e", "code": code, "title": "Invalid input.", "detail": detail, "source": {"pointer": "/data"}}
        ]
        super().__init__(Answer(status, {"errors": errors}))


@dataclass
class Profile:
    id: str
    email: str
    properties: dict[str, Any] = field(default_factory=dict)
    consent: str = "NEVER_SUBSCRIBED"
    suppression: list[dict[str, str]] = field(default_factory=list)

    def as_json(self, query: Mapping[str, str]) -> dict[str, Any]:
        attributes: dict[str, Any] = {"email": self.email}
        if query.get("additional-fields[profile]") == "subscriptions":
            may = self.consent != "UNSUBSCRIBED" and not self.suppression
            marketing = {"can_receive_email_marketing": may, "consent": self.consent, "suppression": self.suppression}
            attributes["subscriptions"] = {"email": {"marketing": marketing}}
        return {"type": "profile", "id": self.id, "attributes": attributes}


class Klaviyo(JsonServer):
    """`profiles` by id, `lists` by id: name and members. `refuses`: for which paths the key lacks a scope."""

    media_type = MEDIA_TYPE

    def __init__(self, intervene: Intervention = lambda request: None) -> None:
        super().__init__(intervene)
        self.profiles: dict[str, Profile] = {}
        self.lists: dict[str, tuple[str, set[str]]] = {}
        self.refuses: set[str] = set()

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

    def check(self, request: Request, headers: Mapping[str, str]) -> None:
        if headers.get("authorization") != f"Klaviyo-API-Key {KEY}":
            raise Refused("Missing or invalid private key.", 401, "not_authenticated")
        if not re.fullmatch(r"20\d\d-\d\d-\d\d", headers.get("revision", "")):
            raise Refused("A revision header is required.")
        if request.body is not None and headers.get("content-type") != MEDIA_TYPE:
            raise Refused("Unsupported media type.", 415)
        if any(request.path.startswith(f"/api/{path}") for path in self.refuses):
            raise Refused("You do not have permission to perform this action.", 403, "permission_denied")

    def route(self, request: Request, path: list[str]) -> Answer:
        data, query = (request.body or {}).get("data"), request.query
        match request.method, path[1:]:
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

    def _page(self, found: list[Profile], query: Mapping[str, str]) -> Answer:
        size, start = int(query.get("page[size]", 20)), int(query.get("page[cursor]", 0))
        if size > MAX_PAGE:
            raise Refused("page[size] must be at most 100.")
        following = (
            f"https://a.klaviyo.com/api/x?page%5Bcursor%5D={start + size}" if start + size < len(found) else None
        )
        data = [one.as_json(query) for one in found[start : start + size]]
        return Answer(200, {"data": data, "links": {"next": following}})

    def _import(self, data: dict[str, Any], query: Mapping[str, str]) -> Answer:
        email = data["attributes"]["email"].lower()
        if not _ADDRESS.fullmatch(email):
            raise Refused(f"Invalid email address: {email}")
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
