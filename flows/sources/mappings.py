"""What the rows of a run mean, with every blank filled in: all that dbt's staging needs to know of its sources."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from flows.sources.connections import Contacts, EmailEvents, OrderLineColumn, OrderLines

Kind = Literal["order_lines", "contacts", "email_events"]
ISO = "iso"
ERASED = "(erased)"  # replaces a person who was erased on request; dbt's variable of that name


@dataclass(frozen=True)
class NumberFormat:
    """How to turn written numbers into plain ones: `translate(text, characters, replacements)`."""

    characters: str = ""
    replacements: str = ""


@dataclass(frozen=True)
class RowMapping:
    """A connection's contacts or e-mail events. `model`: the staging model that yields the columns; None: the raw
    table of that name does."""

    connection: str
    model: str | None
    columns: Mapping[Any, str]
    timestamp_format: str
    timestamps_have_offset: bool
    timezone: str | None

    def as_dbt_variable(self) -> dict[str, Any]:
        """An entry of dbt's variable of that kind."""
        return asdict(self)


@dataclass(frozen=True)
class OrderLineMapping(RowMapping):
    """A connection's order lines."""

    number_format: NumberFormat
    currency: str | None
    returns: Mapping[str, str] | None
    set_aside: Sequence[Mapping[str, str]]
    duplicates: str
    placeholder_ids: Sequence[str]
    real_ids: Sequence[str]


@dataclass(frozen=True)
class Landing:
    """What is there of one kind from one connection: from files, or without any where Airbyte has brought the rows.
    `rows` and `unreadable` count records, headers being none; None where a staging model has yet to yield them."""

    kind: Kind
    files: tuple[Path, ...]
    rows: int | None
    unreadable: int
    mapping: RowMapping
    notes: tuple[str, ...]


def order_line_mapping(
    connection: str,
    stream: OrderLines,
    columns: Mapping[OrderLineColumn, str],
    timestamp_format: str,
    has_offset: bool,
    number_format: NumberFormat,
) -> OrderLineMapping:
    """A connection's order lines, what it left open being given."""
    return OrderLineMapping(
        connection=connection,
        model=stream.model,
        columns=columns,
        timestamp_format=timestamp_format,
        timestamps_have_offset=has_offset,
        number_format=number_format,
        timezone=stream.timezone,
        currency=stream.currency,
        returns=stream.returns.model_dump() if stream.returns else None,
        set_aside=[rule.model_dump() for rule in stream.set_aside],
        duplicates=stream.duplicates,
        placeholder_ids=list(stream.placeholder_ids),
        real_ids=list(stream.real_ids),
    )


def of_model(kind: Kind, connection: str, meaning: OrderLines | Contacts | EmailEvents) -> Landing:
    """What a staging model will yield: dates in ISO 8601 and plain numbers."""
    form = meaning.timestamp_format or ISO
    mapping: RowMapping
    if isinstance(meaning, OrderLines):
        mapping = order_line_mapping(connection, meaning, meaning.columns, form, form == ISO, NumberFormat())
    else:
        mapping = RowMapping(connection, meaning.model, meaning.columns, form, form == ISO, meaning.timezone)
    return Landing(kind, (), None, 0, mapping, ())
