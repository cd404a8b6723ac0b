"""What the rows of a run mean, with every blank filled in: all that dbt's staging needs to know of its sources."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from flows.sources.connections import Contacts, EmailEvents, KindOfFile, OrderLineColumn, OrderLines, Products

Kind = Literal[KindOfFile, "email_events"]
# what several rows of one line of an order are: nothing in particular; its changes, from the top of the file down or
# up, of which the last counts, on the day of the first; or lines of one order that name several days
Changes = Literal["", "oldest_first", "newest_first", "first_day"]
ISO = "iso"
# our columns that hold moments, of all kinds of rows
TIMESTAMP_COLUMNS = ("ordered_at", "refunded_at", "opted_out_at", "created_at", "happened_at")
# what makes every way to write an offset behind a time the one that dbt's staging knows, +02:00
_TIME = r"(:\d\d(\.\d+)?( ?[AaPp][Mm])?)"
OFFSETS = (
    (rf"{_TIME} *([+-]\d\d):?(\d\d) *UTC$", r"\1\4:\5"),
    (rf"{_TIME} *(Z|z|UTC|GMT)$", r"\1+00:00"),
    (rf"{_TIME} *(GMT|UTC)?([+-]\d\d)$", r"\1\5:00"),
    (rf"{_TIME} *(GMT|UTC)?([+-]\d\d):?(\d\d)$", r"\1\5:\6"),
)
ERASED = "(erased)"  # replaces a person who was erased on request; dbt's variable of that name


@dataclass(frozen=True)
class TimestampFormat:
    """How a column writes moments: in one of `formats`, each "iso", "unix_seconds", "unix_milliseconds",
    "unix_microseconds", "excel_serial" or strptime codes, once each (pattern, replacement) of `rewrites` has been
    applied. With `has_offset`, an offset such as +02:00 may stand at the end then."""

    formats: Sequence[str] = (ISO,)
    rewrites: Sequence[tuple[str, str]] = ()
    has_offset: bool = False


@dataclass(frozen=True)
class NumberFormat:
    """How a column writes numbers: as texts that match `pattern` as a whole. `currencies`, as written → ISO code where
    that is known, are taken away; `translate(text, characters, replacements)` makes the rest plain; a minus or a
    parenthesis makes it negative. Without a pattern: plain numbers."""

    pattern: str = ""
    currencies: Mapping[str, str | None] = field(default_factory=dict)
    characters: str = ""
    replacements: str = ""


@dataclass(frozen=True)
class RowMapping:
    """Rows of a connection's contacts, products or e-mail events. `model`: the staging model that yields the columns;
    None: the raw table of that name does. `files`: the names of the files whose rows are meant; None: all rows. Formats
    are by our column names; without one, a column is in ISO 8601, or plain numbers. `timezone`: a moment with an offset
    is turned into this zone's local time; None: it keeps the time that is written."""

    connection: str
    model: str | None
    files: Sequence[str] | None
    columns: Mapping[Any, str]
    timestamp_formats: Mapping[Any, TimestampFormat]
    timezone: str | None

    def as_dbt_variable(self) -> dict[str, Any]:
        """An entry of dbt's variable of that kind."""
        return asdict(self)


@dataclass(frozen=True)
class ContactMapping(RowMapping):
    """Rows of a connection's contacts. advertising_consent: as in `Contacts`."""

    advertising_consent: str | None = None


@dataclass(frozen=True)
class OrderMeaning:
    """What is an order's of a file's lines. `inherited`: columns that a line without a value has from another line of
    its order. `continued`: lines without an order's number belong to the order above them. `refund_is_of_order`: the
    refunded amount is the order's, however many of its lines have it. `changes`: what several rows of one line are.
    `sold`: of each status column the values that are sales; `refunded`: those that are if an amount says how much was
    given back; `given_back`: those of rows that give back what earlier rows sold. `line_types`: the values of
    line_type, by what they make a line. `currency_codes`: ISO codes of currencies that are written otherwise."""

    inherited: Sequence[str] = ()
    continued: bool = False
    refund_is_of_order: bool = False
    changes: Changes = ""
    sold: Mapping[OrderLineColumn, Sequence[str]] = field(default_factory=dict)
    refunded: Mapping[OrderLineColumn, Sequence[str]] = field(default_factory=dict)
    given_back: Mapping[OrderLineColumn, Sequence[str]] = field(default_factory=dict)
    line_types: Mapping[str, Sequence[str]] = field(default_factory=dict)
    currency_codes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OrderLineMapping(RowMapping):
    """Rows of a connection's order lines. `several_files`: whether they come from more than one."""

    number_formats: Mapping[Any, NumberFormat]
    currency: str | None
    returns: Mapping[str, str] | None
    reject: Sequence[Mapping[str, str]]
    duplicates: str
    several_files: bool
    placeholder_ids: Sequence[str]
    real_ids: Sequence[str]
    orders: OrderMeaning = OrderMeaning()


@dataclass(frozen=True)
class Landing:
    """What is there of one kind from one connection: from files, or without any where Airbyte has brought the rows.
    `rows` and `unreadable` count records, headers being none; None where a staging model has yet to yield them.
    `mappings`: one for each group of files that are written alike."""

    kind: Kind
    files: tuple[Path, ...]
    rows: int | None
    unreadable: int
    mappings: tuple[RowMapping, ...]
    notes: tuple[str, ...]

    @property
    def connection(self) -> str:
        """Whose rows they are."""
        return self.mappings[0].connection


def order_line_mapping(
    connection: str,
    stream: OrderLines,
    columns: Mapping[OrderLineColumn, str],
    timestamp_formats: Mapping[OrderLineColumn, TimestampFormat],
    number_formats: Mapping[OrderLineColumn, NumberFormat],
    files: Sequence[str] | None = None,
    several_files: bool = False,
    orders: OrderMeaning = OrderMeaning(),
) -> OrderLineMapping:
    """A connection's order lines, what it left open being given."""
    return OrderLineMapping(
        connection=connection,
        model=stream.model,
        files=files,
        columns=columns,
        timestamp_formats=timestamp_formats,
        number_formats=number_formats,
        timezone=stream.timezone,
        currency=stream.currency,
        returns=stream.returns.model_dump() if stream.returns else None,
        reject=[rule.model_dump() for rule in stream.reject],
        duplicates=stream.duplicates if _lines_differ(columns) and not orders.changes else "keep",
        several_files=several_files,
        placeholder_ids=list(stream.placeholder_ids),
        real_ids=list(stream.real_ids),
        orders=orders,
    )


def row_mapping(
    connection: str,
    stream: Contacts | Products | EmailEvents,
    columns: Mapping[Any, str],
    timestamp_formats: Mapping[Any, TimestampFormat],
    files: Sequence[str] | None = None,
) -> RowMapping:
    """A connection's contacts, products or e-mail events, what it left open being given."""
    if isinstance(stream, Contacts):
        consent = stream.advertising_consent
        return ContactMapping(connection, stream.model, files, columns, timestamp_formats, stream.timezone, consent)
    return RowMapping(connection, stream.model, files, columns, timestamp_formats, stream.timezone)


def _lines_differ(columns: Mapping[OrderLineColumn, str]) -> bool:
    """Whether equal lines of an order are the same line: without a product, two products at one price are equal."""
    return bool({"sku", "order_line_id"} & set(columns)) or not {"quantity", "unit_price"} & set(columns)


def of_model(kind: Kind, connection: str, meaning: OrderLines | Contacts | Products | EmailEvents) -> Landing:
    """What a staging model will yield: dates in ISO 8601 and plain numbers."""
    columns = meaning.columns
    declared = meaning.timestamp_format or ISO
    form = TimestampFormat((declared,), rewrites=OFFSETS if declared == ISO else (), has_offset=declared == ISO)
    dated: dict[Any, TimestampFormat] = {name: form for name in TIMESTAMP_COLUMNS if name in columns}
    mapping: RowMapping
    if isinstance(meaning, OrderLines):
        mapping = order_line_mapping(connection, meaning, meaning.columns, dated, {})
    else:
        mapping = row_mapping(connection, meaning, columns, dated)
    return Landing(kind, (), None, 0, (mapping,), ())
