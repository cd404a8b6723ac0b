"""The stand-in for HubSpot with what we write to it: contacts and their properties, and static lists.

It refuses what HubSpot's documentation and its users say that HubSpot refuses: a batch of more than 100 or with an id
twice, a property that there is not, a text for a number, a name that a list has already, and what the token's scopes do
not cover. How it refuses one record of a batch is left open there (the whole batch, or that record), so a test chooses.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.stand_ins.hubspot import OPENING, HubSpot, Record, Refused
from tests.stand_ins.json_server import Answer, Intervention, Request

MAX_BATCH_SIZE, MAX_MEMBERS_PER_PAGE = 100, 250
SCOPES = {
    "crm.objects.contacts.read", "crm.objects.contacts.write", "crm.schemas.contacts.read",
    "crm.schemas.contacts.write", "crm.lists.read", "crm.lists.write",
}  # fmt: skip
_ADDRESS = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+")
_NOT_FOUND = "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid."
_TYPES = {"hs_email_optout": "bool"}


@dataclass
class List:
    list_id: str
    name: str
    processing_type: str = "MANUAL"
    object_type: str = "0-1"
    members: set[int] = field(default_factory=set)

    def as_json(self) -> dict[str, Any]:
        return {
            "listId": self.list_id, "name": self.name, "processingType": self.processing_type,
            "objectTypeId": self.object_type, "listVersion": 1, "processingStatus": "COMPLETE",
        }  # fmt: skip


class WritableHubSpot(HubSpot):
    """`properties` by name, as HubSpot describes them; `groups` by name; `lists` in the order they were made.

    `tells_records_apart`: one bad record of a batch is refused alone (207) rather than the batch (400).
    `gdpr_deleted`: addresses that must not come back. `merged`: ids of contacts that an answer leaves out silently.
    """

    def __init__(
        self, intervene: Intervention = lambda request: None, scopes: Collection[str] = frozenset(SCOPES)
    ) -> None:
        super().__init__(intervene)
        self.scopes = set(scopes)
        self.tells_records_apart = False
        self.gdpr_deleted: set[str] = set()
        self.merged: set[int] = set()
        self.groups = {"contactinformation": "Contact information"}
        self.properties = {
            name: {"name": name, "type": _TYPES.get(name, "string"), "groupName": "contactinformation"}
            for name in self.contacts.kind.properties
        }
        self.lists: list[List] = []

    def list_called(self, name: str) -> List | None:
        return next((found for found in self.lists if found.name.lower() == name.lower()), None)

    def add_list(self, name: str, members: Collection[int] = (), **more: Any) -> List:
        self.lists.append(List(str(len(self.lists) + 1), name, members=set(members), **more))
        return self.lists[-1]

    def state(self) -> tuple[dict[int, dict[str, str]], dict[str, set[int]]]:
        """Properties by contact, and members by list."""
        contacts = {record_id: dict(record.properties) for record_id, record in self.contacts.alive().items()}
        return contacts, {found.name: set(found.members) for found in self.lists}

    def add_property(self, name: str, kind: str, group: str) -> dict[str, Any]:
        self.properties[name] = {"name": name, "type": kind, "groupName": group}
        self.contacts.kind = replace(self.contacts.kind, properties=self.contacts.kind.properties | {name})
        return self.properties[name]

    def route(self, request: Request, path: list[str]) -> Answer:
        body = request.body
        match request.method, path[2:]:
            case "GET", ["properties", "contacts"]:
                self._needs("crm.schemas.contacts.read")
                return Answer(200, {"results": list(self.properties.values())})
            case "POST", ["properties", "contacts"]:
                self._needs("crm.schemas.contacts.write")
                return Answer(201, self._make_property(body))
            case "POST", ["properties", "contacts", "groups"]:
                self._needs("crm.schemas.contacts.write")
                if body["name"] in self.groups:
                    raise Refused("A group with that name already exists.", 409, "OBJECT_ALREADY_EXISTS")
                self.groups[body["name"]] = body["label"]
                return Answer(201, body)
            case "POST", ["objects", "contacts", "batch", "read"]:
                self._needs("crm.objects.contacts.read")
                return self._read(body)
            case "POST", ["objects", "contacts", "batch", "update"]:
                self._needs("crm.objects.contacts.write")
                return self._update(body)
            case "POST", ["objects", "contacts", "batch", "upsert"]:
                self._needs("crm.objects.contacts.write")
                return self._upsert(body)
            case "POST", ["lists"]:
                self._needs("crm.lists.write")
                if self.list_called(body["name"]):
                    answer = {"status": "error", "category": "VALIDATION_ERROR"}
                    answer |= {"subCategory": "ILS.DUPLICATE_LIST_NAMES", "message": "List name is already in use."}
                    return Answer(400, answer)
                made = self.add_list(
                    body["name"], processing_type=body["processingType"], object_type=body["objectTypeId"]
                )
                return Answer(200, {"list": made.as_json()})
            case "GET", ["lists", "object-type-id", object_type, "name", name]:
                self._needs("crm.lists.read")
                found = self.list_called(name.replace("%20", " "))
                if found is None or found.object_type != object_type:
                    raise Refused("List does not exist.", 404, "OBJECT_NOT_FOUND")
                return Answer(200, {"list": found.as_json()})
            case "GET", ["lists", list_id, "memberships"]:
                self._needs("crm.lists.read")
                return Answer(200, self._members(self._list(list_id), request.query))
            case "PUT", ["lists", list_id, "memberships", "add"]:
                self._needs("crm.lists.write")
                return Answer(200, self._add(self._list(list_id), [int(record_id) for record_id in body]))
        return super().route(request, path)

    def _needs(self, scope: str) -> None:
        if scope not in self.scopes:
            refused = Refused(
                "This app hasn't been granted all required scopes to make this call.", 403, "MISSING_SCOPES"
            )
            needed = {"message": "One or more of the following scopes are required."}
            refused.answer.body["errors"] = [needed | {"context": {"requiredGranularScopes": [scope]}}]
            raise refused

    def _make_property(self, body: Mapping[str, Any]) -> dict[str, Any]:
        if body["name"] in self.properties:
            raise Refused(f"A property named '{body['name']}' already exists.", 409, "OBJECT_ALREADY_EXISTS")
        if body["groupName"] not in self.groups:
            raise Refused(f"The property group {body['groupName']} does not exist.")
        fits = {"string": {"text", "textarea"}, "number": {"number"}}
        if not body["label"] or body["fieldType"] not in fits[body["type"]]:
            raise Refused("the property has no label, or its field does not fit its type")
        return self.add_property(body["name"], body["type"], body["groupName"])

    def _read(self, body: Mapping[str, Any]) -> Answer:
        ids = _ids(body)
        if body.get("idProperty", "email") != "email":
            raise Refused(f"Unable to read by non-unique 0-1 property {body['idProperty']}")
        by_address = "idProperty" in body
        known = self._by_address() if by_address else self._by_id()
        found = {requested: known.get(requested.strip().lower()) for requested in ids}
        results = {
            record.id: self._as_json(record, requested=body["properties"]) for record in found.values() if record
        }
        return _answer(results.values(), _missing([requested for requested, record in found.items() if record is None]))

    def _update(self, body: Mapping[str, Any]) -> Answer:
        _ids(body)
        if any("idProperty" in one for one in body["inputs"]):
            raise Refused("Unable to perform update/upsert by non-unique 0-1 property")
        known = self._by_id()
        records = {one["id"]: known.get(one["id"]) for one in body["inputs"]}
        problems = list(self._problems(body["inputs"]))
        results = []
        for one in body["inputs"]:
            record = records[one["id"]]
            if record is None or record.id in self.merged or any(one is bad for bad, _ in problems):
                continue
            results.append(self._as_json(self.contacts.update(record.id, one["properties"], OPENING), one))
        errors = _missing([record_id for record_id, record in records.items() if record is None])
        return _answer(results, errors + [problem for _, problem in problems])

    def _upsert(self, body: Mapping[str, Any]) -> Answer:
        _ids(body)
        if any(one.get("idProperty") != "email" for one in body["inputs"]):
            raise Refused("Unable to perform update/upsert by non-unique 0-1 property")
        problems = list(self._problems(body["inputs"]))
        by_address, results = self._by_address(), []
        for one in body["inputs"]:
            if any(one is bad for bad, _ in problems):
                continue
            known = by_address.get(one["id"].strip().lower())
            record_id = known.id if known else self.contacts.add({"email": one["id"].lower()})
            written = self.contacts.update(record_id, one["properties"], OPENING)
            results.append(self._as_json(written, one) | {"new": known is None})
        return _answer(results, [problem for _, problem in problems])

    def _problems(self, inputs: list[Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Inputs that are refused, and how; the whole batch, if that is how it is done."""
        for one in inputs:
            if why := self._problem(one):
                if not self.tells_records_apart or "PROPERTY_DOESNT_EXIST" in why:
                    raise Refused(why)
                error_body = {"status": "error", "category": "VALIDATION_ERROR", "message": why}
                yield one, error_body | {"context": {"objectWriteTraceId": [one["objectWriteTraceId"]]}}

    def _problem(self, one: Mapping[str, Any]) -> str | None:
        for name, value in one["properties"].items():
            wrong = None
            if name not in self.properties:
                wrong = {"message": f'Property "{name}" does not exist', "error": "PROPERTY_DOESNT_EXIST"}
            elif self.properties[name]["type"] == "number" and value and not re.fullmatch(r"-?\d+(\.\d+)?", value):
                wrong = {"message": f"{value} was not a valid number.", "error": "INVALID_DOUBLE"}
            if wrong:
                return f"Property values were not valid: {json.dumps([{'isValid': False, 'name': name} | wrong])}"
        if "idProperty" in one and not _ADDRESS.fullmatch(one["id"]):
            return f"Email address {one['id']} is invalid"
        if one["id"] in self.gdpr_deleted:
            return f"The contact {one['id']} was permanently deleted and cannot be created again"
        return None

    def _members(self, found: List, query: Mapping[str, str]) -> dict[str, Any]:
        limit = int(query.get("limit", 100))
        if not 1 <= limit <= MAX_MEMBERS_PER_PAGE:
            raise Refused(f"limit is {limit}")
        ids = [record_id for record_id in sorted(found.members) if record_id > int(query.get("after", 0))]
        page = [
            {"recordId": str(record_id), "membershipTimestamp": "2025-01-01T00:00:00Z"} for record_id in ids[:limit]
        ]
        following = {"paging": {"next": {"after": page[-1]["recordId"]}}} if len(ids) > limit else {}
        return {"results": page, "total": len(found.members)} | following

    def _add(self, found: List, ids: list[int]) -> dict[str, Any]:
        if found.processing_type == "DYNAMIC":
            raise Refused("Records can only be added to lists with the processing type MANUAL or SNAPSHOT.")
        alive = self.contacts.alive()
        missing = [str(record_id) for record_id in ids if record_id not in alive]
        added = [str(record_id) for record_id in ids if record_id in alive and record_id not in found.members]
        found.members |= {record_id for record_id in ids if record_id in alive}
        answer = {"recordsIdsAdded": added, "recordIdsMissing": missing, "recordIdsRemoved": []}
        return {name: ids for name, ids in answer.items() if ids}  # HubSpot leaves out what is empty

    def _list(self, list_id: str) -> List:
        for found in self.lists:
            if found.list_id == list_id:
                return found
        raise Refused("List does not exist.", 404, "OBJECT_NOT_FOUND")

    def _by_id(self) -> dict[str, Record]:
        return {str(record_id): record for record_id, record in self.contacts.alive().items()}

    def _by_address(self) -> dict[str, Record]:
        """By any address of a contact, in small letters."""
        names = ("email", "hs_additional_emails")
        return {
            address.lower(): record
            for record in self.contacts.alive().values()
            for name in names
            for address in record.properties.get(name, "").split(";")
            if address
        }

    def _as_json(
        self, record: Record, written: Mapping[str, Any] | None = None, requested: Collection[str] = ()
    ) -> dict[str, Any]:
        names = ["email", *written["properties"]] if written else requested
        given = {name: record.properties.get(name) for name in names if name in self.properties}
        answer: dict[str, Any] = {"id": str(record.id), "properties": given, "archived": False}
        trace = (written or {}).get("objectWriteTraceId")
        return answer | ({"objectWriteTraceId": trace} if trace and self.tells_records_apart else {})


def _ids(body: Mapping[str, Any]) -> list[str]:
    ids = [one["id"] for one in body["inputs"]]
    if not 1 <= len(ids) <= MAX_BATCH_SIZE:
        raise Refused(f"{len(ids)} inputs, and the most is {MAX_BATCH_SIZE}")
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise Refused(f"Duplicate IDs found in batch input: [{', '.join(twice)}]. IDs must be unique")
    return ids


def _missing(ids: list[str]) -> list[dict[str, Any]]:
    error_body = {"status": "error", "category": "OBJECT_NOT_FOUND", "message": _NOT_FOUND, "context": {"ids": ids}}
    return [error_body] if ids else []


def _answer(results: Collection[Any], errors: list[dict[str, Any]]) -> Answer:
    answer: dict[str, Any] = {"status": "COMPLETE", "results": list(results)}
    return Answer(207, answer | {"numErrors": len(errors), "errors": errors}) if errors else Answer(200, answer)
