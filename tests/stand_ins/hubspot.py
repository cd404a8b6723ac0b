"""A stand-in for HubSpot: the part of its API that we read, over HTTP on this machine, out of a test's own objects.
What we write is in `hubspot_writing.py`.

It answers as HubSpot's documentation says that HubSpot does, and is as particular where a reader can go wrong: pages
and searches have their limits, parameters that it does not know it ignores, and a search finds a change when it is told
to. A test adds and changes records while it runs, and `intervene` says what becomes of a request.
"""

import json
import random
import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from operator import ge, gt, le, lt
from typing import Any

from tests.stand_ins.json_server import Answer, Intervention, JsonServer, Refusal, Request

TOKEN = "pat-of-a-test"
LIST_LIMIT, SEARCH_LIMIT, EVENTS_LIMIT = 100, 200, 1_000
MAX_SEARCH_RESULTS = 10_000
OPENING = datetime(2025, 1, 1, tzinfo=UTC)


MISSING_SCOPES = Answer(403, {"status": "error", "category": "MISSING_SCOPES", "message": "requires other scopes"})


def too_many_requests(retry_after: int | None) -> Answer:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    body = {"status": "error", "message": "You have reached your secondly limit.", "errorType": "RATE_LIMIT"}
    return Answer(429, body | {"policyName": "SECONDLY"}, headers)


class Refused(Refusal):
    """HubSpot does not like a request."""

    def __init__(self, message: str, status: int = 400, category: str = "VALIDATION_ERROR"):
        super().__init__(Answer(status, {"status": "error", "message": message, "category": category}))


@dataclass(frozen=True, slots=True)
class Record:
    id: int
    properties: Mapping[str, str]
    created: int  # milliseconds since 1970, as all times here
    updated: int
    archived: int | None = None
    associations: Mapping[str, list[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Kind:
    name: str
    singular: str
    properties: set[str]  # that HubSpot knows
    sent_unasked: list[str]  # where a request names no properties
    updated_property: str


CONTACTS = Kind(
    "contacts",
    "contact",
    {
        "email", "firstname", "lastname", "customer_id", "hs_additional_emails", "lifecyclestage", "hs_email_optout",
        "hs_email_open", "hs_email_last_open_date", "hs_email_click", "hs_email_last_click_date",
        "hs_merged_object_ids", "hs_legal_basis", "consents_to_advertising",
    },
    ["email", "firstname", "lastname"],
    "lastmodifieddate",
)  # fmt: skip
DEALS = Kind(
    "deals",
    "deal",
    {
        "dealname", "amount", "dealstage", "hs_is_closed_won", "closedate", "deal_currency_code", "order_id",
        "pipeline",
    },
    ["dealname", "amount", "closedate", "pipeline", "dealstage"],
    "hs_lastmodifieddate",
)  # fmt: skip
LINE_ITEMS = Kind(
    "line_items",
    "line_item",
    {"name", "hs_sku", "quantity", "price", "amount", "discount", "hs_product_id"},
    ["quantity", "amount", "price"],
    "hs_lastmodifieddate",
)
_KINDS = {kind.name: kind for kind in (CONTACTS, DEALS, LINE_ITEMS)}


class Objects:
    """All records of one kind."""

    def __init__(self, kind: Kind, first_id: int):
        self.kind = kind
        self.search_lags = False  # searches find things as they were when this was set
        self._next_id = first_id
        self._records: dict[int, Record] = {}
        self._indexed: dict[int, Record] = {}
        self._ids: dict[bool, list[int]] = {False: [], True: []}  # by whether they are archived; sorted
        self._found: dict[str, list[Record]] = {}  # searches since the last change
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._ids[False])

    def add(
        self,
        properties: Mapping[str, str] | None = None,
        at: datetime = OPENING,
        updated_at: datetime | None = None,
        associations: Mapping[str, list[int]] | None = None,
    ) -> int:
        """A new record's id."""
        with self._lock:
            new, self._next_id = self._next_id, self._next_id + 1
            self._ids[False].append(new)
            self._put(Record(new, properties or {}, _ms(at), _ms(updated_at or at), None, associations or {}))
            return new

    def update(self, record_id: int, properties: Mapping[str, str], at: datetime) -> Record:
        """The record as it is then."""
        with self._lock:
            old = self._records[record_id]
            self._put(replace(old, properties={**old.properties, **properties}, updated=_ms(at)))
            return self._records[record_id]

    def associate(self, record_id: int, associations: Mapping[str, list[int]]) -> None:
        with self._lock:
            self._put(replace(self._records[record_id], associations=associations))

    def archive(self, record_ids: Iterable[int], at: datetime) -> None:
        """Deletes them, as a user of HubSpot calls it."""
        with self._lock:
            for record_id in record_ids:
                self._ids[False].remove(record_id)
                insort(self._ids[True], record_id)
                self._put(replace(self._records[record_id], archived=_ms(at)))

    def alive(self) -> dict[int, Record]:
        """Those that are not archived."""
        with self._lock:
            return {record_id: self._records[record_id] for record_id in self._ids[False]}

    def catch_up(self) -> None:
        """From now on, searches find things as they are."""
        with self._lock:
            self.search_lags = False
            self._indexed = dict(self._records)
            self._found.clear()

    def _put(self, record: Record) -> None:
        self._records[record.id] = record
        if not self.search_lags:
            self._indexed[record.id] = record
            self._found.clear()

    def page(self, query: Mapping[str, str]) -> dict[str, Any]:
        """GET /crm/v3/objects/<kind>"""
        limit = _limit(query.get("limit", 10), LIST_LIMIT)
        requested = query["properties"].split(",") if query.get("properties") else None
        associations = query["associations"].split(",") if query.get("associations") else []
        with self._lock:
            ids = self._ids[query.get("archived") == "true"]
            start = bisect_left(ids, int(query.get("after", 0)))
            page = [self._records[record_id] for record_id in ids[start : start + limit]]
            following = ids[start + limit : start + limit + 1]
        answer = {"results": [self._as_json(record, requested, associations) for record in page]}
        return answer | ({"paging": {"next": {"after": str(following[0])}}} if following else {})

    def search(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST /crm/v3/objects/<kind>/search"""
        limit, start = _limit(body.get("limit", 10), SEARCH_LIMIT), int(body.get("after") or 0)
        if start >= MAX_SEARCH_RESULTS:
            raise Refused("a search gives out no more than 10,000 results")
        groups = [group["filters"] for group in body.get("filterGroups", [])]
        with self._lock:
            found = self._search(groups, body.get("sorts", []))
            page = found[start : start + limit]
            answer = {"total": len(found), "results": [self._as_json(r, body.get("properties"), []) for r in page]}
        end = start + limit
        return answer | ({"paging": {"next": {"after": str(end)}}} if end < len(found) else {})

    def _search(self, groups: list[list[dict[str, Any]]], sorts: list[dict[str, str]]) -> list[Record]:
        sort = sorts[0] if sorts else {"propertyName": "createdate"}
        # A reader that goes by ids repeats the same request for each page, except for its start: only that is computed
        # again
        by_id = len(groups) == 1 and sort["propertyName"] == "hs_object_id" and sort["direction"] == "ASCENDING"
        begins = (
            [f for f in groups[0] if f["propertyName"] == "hs_object_id" and f["operator"] == "GT"] if by_id else []
        )
        rest = [[f for f in group if f not in begins] for group in groups]
        requested = json.dumps([rest, sort])
        if requested not in self._found:
            tests = [[self._test(f) for f in group] for group in rest] or [[]]
            self._found[requested] = sorted(
                (
                    record
                    for record in self._indexed.values()
                    if record.archived is None and any(all(test(record) for test in group) for group in tests)
                ),
                key=lambda record: (self._value(record, sort["propertyName"]) or 0, record.id),
                reverse=sort.get("direction") == "DESCENDING",
            )
        found = self._found[requested]
        beginning = max((_number(f["value"]) for f in begins), default=None)
        return found if beginning is None else found[bisect_right(found, beginning, key=lambda record: record.id) :]

    def _test(self, requested: Mapping[str, Any]) -> Callable[[Record], bool]:
        name, operator = requested["propertyName"], requested["operator"]
        if not isinstance(requested.get("value"), str):
            raise Refused(f"the value of {name} is not a string")
        value = _number(requested["value"])
        if operator == "EQ":
            return lambda record: self._value(record, name) == value
        if operator == "BETWEEN":
            highest = _number(requested["highValue"])
            return lambda record: (found := self._value(record, name)) is not None and value <= found <= highest
        compare = {"GT": gt, "GTE": ge, "LT": lt, "LTE": le}[operator]
        return lambda record: (found := self._value(record, name)) is not None and compare(found, value)

    def _value(self, record: Record, name: str) -> Any:
        if name == "hs_object_id":
            return record.id
        if name == self.kind.updated_property:
            return record.updated
        if name == "createdate":
            return record.created
        return None if name not in record.properties else _number(record.properties[name])

    def _as_json(self, record: Record, requested: Iterable[str] | None, associations: Iterable[str]) -> dict[str, Any]:
        created, updated = _iso(record.created), _iso(record.updated)
        given = {"hs_object_id": str(record.id), "createdate": created, self.kind.updated_property: updated}
        for name in requested or self.kind.sent_unasked:
            if name in self.kind.properties:  # what it does not know it leaves out
                given[name] = record.properties.get(name)
        answer = {
            "id": str(record.id), "properties": given,
            "createdAt": created, "updatedAt": updated, "archived": record.archived is not None,
        }  # fmt: skip
        if record.archived is not None:
            answer["archivedAt"] = _iso(record.archived)
        associated = {_called(name): self._associated(record, name) for name in associations}
        if associated := {name: {"results": results} for name, results in associated.items() if results}:
            answer["associations"] = associated
        return answer

    def _associated(self, record: Record, name: str) -> list[dict[str, str]]:
        kind = f"{self.kind.singular}_to_{_KINDS[name].singular}"
        # HubSpot may name a contact twice, once for each type of the association
        kinds = [kind, f"{kind}_unlabeled"] if name == "contacts" else [kind]
        return [{"id": str(i), "type": kind} for i in record.associations.get(name, []) for kind in kinds]


class EmailEvents:
    """What happened to e-mails."""

    def __init__(self):
        self._events: list[dict[str, Any]] = []
        self._sorted = True  # the oldest first: done when they are read, for there are many
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._events)

    def add(self, kind: str, recipient: str, at: datetime, **more: Any) -> str:
        """A new event's id."""
        with self._lock:
            new = f"{len(self._events):08x}-0000-3000-8000-000000000000"
            event = {"id": new, "created": _ms(at), "type": kind, "recipient": recipient, "portalId": 62515} | more
            self._events.append(event)
            self._sorted = False
            return new

    def page(self, query: Mapping[str, str]) -> dict[str, Any]:
        """GET /email/public/v1/events"""
        limit = _limit(query.get("limit", 10), EVENTS_LIMIT)
        with self._lock:
            if not self._sorted:
                self._events.sort(key=_created)
                self._sorted = True
            start = bisect_left(self._events, int(query.get("startTimestamp", 0)), key=_created)
            end = bisect_right(self._events, int(query.get("endTimestamp", 2**60)), key=_created)
            end = min(end, int(query["offset"].removeprefix("MTc4-"))) if "offset" in query else end
            begin = max(start, end - limit)
            page = self._events[begin:end][::-1]  # the newest first
        kind = query.get("eventType")
        answer = {"hasMore": begin > start, "events": [event for event in page if kind in (None, event["type"])]}
        return answer | ({"offset": f"MTc4-{begin}"} if begin > start else {})


class HubSpot(JsonServer):
    """An account, empty at first. `with hubspot.serving() as url` it can be read."""

    def __init__(self, intervene: Intervention = lambda request: None):
        super().__init__(intervene)
        self.contacts = Objects(CONTACTS, first_id=51)  # ids of two digits to eight: they are numbers, not words
        self.deals = Objects(DEALS, first_id=20_000_001)
        self.line_items = Objects(LINE_ITEMS, first_id=30_000_001)
        self.email_events = EmailEvents()

    def requested(self, path: str) -> list[Request]:
        """The requests for one path."""
        return [request for request in self.requests if request.path == path]

    def check(self, request: Request, headers: Mapping[str, str]) -> None:
        if headers.get("authorization") != f"Bearer {TOKEN}":
            raise Refused("Authentication credentials not found.", 401, "INVALID_AUTHENTICATION")

    def route(self, request: Request, path: list[str]) -> Answer:
        match request.method, path:
            case "GET", ["email", "public", "v1", "events"]:
                return Answer(200, self.email_events.page(request.query))
            case "GET", ["crm", "v3", "objects", kind] if kind in _KINDS:
                return Answer(200, getattr(self, kind).page(request.query))
            case "POST", ["crm", "v3", "objects", kind, "search"] if kind in _KINDS:
                return Answer(200, getattr(self, kind).search(request.body))
        raise Refused("no such resource", 404, "OBJECT_NOT_FOUND")


def shop(customers: int, seed: int = 1) -> HubSpot:
    """An account of a shop with so many customers: what they bought, and the results of the e-mails sent to them."""
    hubspot, draw = HubSpot(), random.Random(seed)
    for number in range(customers):
        joined = OPENING + timedelta(seconds=draw.randrange(200 * 86_400))
        email = f"customer{number}@example.org"
        opened = joined + timedelta(days=draw.randrange(1, 100), milliseconds=draw.randrange(1_000))
        contact = hubspot.contacts.add(
            {
                "email": email, "customer_id": str(10_000 + number), "lifecyclestage": "customer",
                "firstname": f"First {number}", "lastname": f"Last {number}", "hs_email_open": "1",
                "hs_email_last_open_date": _iso(_ms(opened)),
            },
            joined, opened,
        )  # fmt: skip
        hubspot.email_events.add("SENT", email, joined, emailCampaignId=1)
        hubspot.email_events.add("DELIVERED", email, joined, emailCampaignId=1)
        hubspot.email_events.add("OPEN", email, opened, emailCampaignId=1, browser={"family": "Firefox"})
        for order in range(draw.randrange(3)):
            _add_deal(hubspot, draw, contact, f"{10_000 + number}-{order}", joined + timedelta(days=30 * order))
    return hubspot


def _add_deal(hubspot: HubSpot, draw: random.Random, contact: int, order_id: str, at: datetime) -> None:
    lines, amount = [], 0
    for _ in range(draw.randrange(1, 4)):
        sku, quantity, price = draw.randrange(50), draw.randrange(1, 5), draw.randrange(5, 50)
        amount += quantity * price
        line = {
            "name": f"Product {sku}", "hs_sku": f"SKU-{sku}", "quantity": str(quantity), "price": f"{price}.00",
            "amount": f"{quantity * price}.00",
        }  # fmt: skip
        lines.append(hubspot.line_items.add(line, at))
    deal = {
        "dealname": f"Order {order_id}", "order_id": order_id, "amount": f"{amount}.00", "dealstage": "closedwon",
        "hs_is_closed_won": "true", "closedate": _iso(_ms(at)), "deal_currency_code": "EUR",
    }  # fmt: skip
    bought = hubspot.deals.add(deal, at, associations={"contacts": [contact], "line_items": lines})
    for line in lines:
        hubspot.line_items.associate(line, {"deals": [bought]})


def _called(kind: str) -> str:
    """What HubSpot calls it in an answer."""
    return kind.replace("_", " ")


def _created(event: Mapping[str, Any]) -> int:
    return event["created"]


def _limit(requested: str | int, most: int) -> int:
    if not 1 <= int(requested) <= most:
        raise Refused(f"limit is {requested}, more than {most}")
    return int(requested)


@cache
def _number(text: str) -> Any:
    """What a property's value or a filter's is compared by."""
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        pass
    try:
        return _ms(datetime.fromisoformat(text))
    except ValueError:
        return text


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000)


def _iso(milliseconds: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z").replace(".000Z", "Z")
