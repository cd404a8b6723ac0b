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
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from operator import ge, gt, le, lt
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "pat-of-a-test"
LIST_LIMIT, SEARCH_LIMIT, EVENTS_LIMIT = 100, 200, 1_000
MAX_SEARCH_RESULTS = 10_000
OPENING = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Request:
    number: int  # from 1
    method: str
    path: str
    query: Mapping[str, str]
    body: Any  # of JSON


@dataclass(frozen=True)
class Answer:
    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


Intervention = Callable[[Request], Answer | None]
HANG_UP = Answer(0, {})
DO_AND_HANG_UP = Answer(-1, {})  # the request is carried out, but its response is lost
SERVER_ERROR = Answer(500, {"status": "error", "message": "internal error"})
MISSING_SCOPES = Answer(403, {"status": "error", "category": "MISSING_SCOPES", "message": "requires other scopes"})


def too_many_requests(retry_after: int | None) -> Answer:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    body = {"status": "error", "message": "You have reached your secondly limit.", "errorType": "RATE_LIMIT"}
    return Answer(429, body | {"policyName": "SECONDLY"}, headers)


def first(count: int, answer: Answer) -> Intervention:
    """This answer to the first requests."""
    return lambda request: answer if request.number <= count else None


def every(count: int, answer: Answer) -> Intervention:
    """This answer to every so manieth request."""
    return lambda request: None if request.number % count else answer


def at(number: int, act: Callable[[], object]) -> Intervention:
    """Does this before one request is answered."""

    def intervene(request: Request) -> None:
        if request.number == number:
            act()

    return intervene


class Refused(Exception):
    """HubSpot does not like a request."""

    def __init__(self, message: str, status: int = 400, category: str = "VALIDATION_ERROR"):
        self.answer = Answer(status, {"status": "error", "message": message, "category": category})
        super().__init__(message)


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


class HubSpot:
    """An account, empty at first. `with hubspot.serving() as url` it can be read."""

    def __init__(self, intervene: Intervention = lambda request: None):
        self.contacts = Objects(CONTACTS, first_id=51)  # ids of two digits to eight: they are numbers, not words
        self.deals = Objects(DEALS, first_id=20_000_001)
        self.line_items = Objects(LINE_ITEMS, first_id=30_000_001)
        self.email_events = EmailEvents()
        self.intervene = intervene
        self.requests: list[Request] = []
        self._lock = threading.Lock()

    @contextmanager
    def serving(self) -> Iterator[str]:
        with ThreadingHTTPServer(("127.0.0.1", 0), _handler(self)) as server:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
            try:
                yield f"http://127.0.0.1:{server.server_port}"
            finally:
                server.shutdown()

    def requested(self, path: str) -> list[Request]:
        """The requests for one path."""
        return [request for request in self.requests if request.path == path]

    def answer(self, method: str, url: str, body: Any, token: str | None) -> Answer:
        parts = urlsplit(url)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        with self._lock:
            request = Request(len(self.requests) + 1, method, parts.path, query, body)
            self.requests.append(request)
        instead = self.intervene(request)
        if instead is not None and instead is not DO_AND_HANG_UP:
            return instead
        try:
            if token != f"Bearer {TOKEN}":
                raise Refused("Authentication credentials not found.", 401, "INVALID_AUTHENTICATION")
            answer = self.route(request)
        except Refused as refused:
            answer = refused.answer
        if instead is DO_AND_HANG_UP:
            return HANG_UP
        return answer if isinstance(answer, Answer) else Answer(200, answer)

    def route(self, request: Request) -> dict[str, Any] | Answer:
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["email", "public", "v1", "events"]:
                return self.email_events.page(request.query)
            case "GET", ["crm", "v3", "objects", kind] if kind in _KINDS:
                return getattr(self, kind).page(request.query)
            case "POST", ["crm", "v3", "objects", kind, "search"] if kind in _KINDS:
                return getattr(self, kind).search(request.body)
        raise Refused("no such resource", 404, "OBJECT_NOT_FOUND")


def _handler(hubspot: HubSpot) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body leave together: apart, the second waits for the first's receipt

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or "{}")
            answer = hubspot.answer(self.command, self.path, body, self.headers.get("authorization"))
            if answer is HANG_UP:
                self.close_connection = True
                return
            content = json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in {**answer.headers, "content-type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST  # noqa: N815

        def handle(self):
            with suppress(OSError):  # the reader was killed
                super().handle()

        def finish(self):
            with suppress(OSError):
                super().finish()

        def log_message(self, *_):
            pass

    return Handler


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
