"""What the rows of a table of text mean: which column is which, and how each is written."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from flows.adapters.duckdb.sql import quote
from flows.adapters.files.reading.columns.headers import map_columns
from flows.adapters.files.reading.columns.misnamed import without_misnamed
from flows.adapters.files.reading.columns.people import describe_names
from flows.adapters.files.reading.columns.unread import require_no_other_status
from flows.adapters.files.reading.consent import require_no_other_word, require_the_right_way_round
from flows.adapters.files.reading.dates.formats import find_timestamp_formats
from flows.adapters.files.reading.dates.sql import moment_sql
from flows.adapters.files.reading.format_notes import describe_formats
from flows.adapters.files.reading.numbers.formats import find_number_formats
from flows.adapters.files.reading.numbers.shapes import Decimal, code_of
from flows.adapters.files.reading.orders.discounts import require_money_off_lines
from flows.adapters.files.reading.orders.grain import find_grain
from flows.adapters.files.reading.orders.status_changes import last_rows
from flows.adapters.files.reading.orders.statuses import find_statuses
from flows.adapters.files.reading.orders.totals_beside_lines import require_no_total_beside_lines
from flows.adapters.files.reading.questions import Unclear, refusal
from flows.adapters.files.reading.tables.text_rows import File, TextRows
from flows.sources.connections import (
    ContactColumn,
    Contacts,
    OrderLineColumn,
    OrderLines,
    ProductColumn,
    Products,
    RecognisedHeaders,
    RecognisedValues,
)
from flows.sources.mappings import (
    TIMESTAMP_COLUMNS,
    Kind,
    OrderLineMapping,
    OrderMeaning,
    RowMapping,
    TimestampFormat,
    order_line_mapping,
    row_mapping,
)

NUMBER_COLUMNS: tuple[OrderLineColumn, ...] = (
    "amount", "unit_price", "quantity", "discount", "order_total", "refunded_amount",
)  # fmt: skip
NEEDED_OF_ORDER_LINES: Sequence[Sequence[OrderLineColumn]] = [
    ("customer_id", "email"),
    ("ordered_at",),
    ("amount", "order_total", "unit_price"),
]
NEEDED_OF_CONTACTS: Sequence[Sequence[ContactColumn]] = [("email", "customer_id")]
NEEDED_OF_PRODUCTS: Sequence[Sequence[ProductColumn]] = [("sku",), ("name", "category", "is_active")]


def map_order_lines(
    header: Sequence[str], stream: OrderLines, recognised: RecognisedHeaders, place: Path, connection: str
) -> dict[OrderLineColumn, str]:
    """Our column name → the header, of a file or a table at `place`.

    Raises:
        BadInput: when a declared column is missing, or customer, date or amount cannot be found.
    """
    headers, needed = recognised.order_lines, NEEDED_OF_ORDER_LINES
    return map_columns(header, stream.columns, headers, needed, place, connection, "order_lines")


def map_contacts(
    header: Sequence[str], stream: Contacts, recognised: RecognisedHeaders, place: Path, connection: str
) -> dict[ContactColumn, str]:
    """Our column name → the header, of a file or a table at `place`.

    Raises:
        BadInput: when a declared column is missing, neither e-mail nor customer can be found, or consent would be
            misread.
    """
    headers, needed = recognised.contacts, NEEDED_OF_CONTACTS
    columns = map_columns(header, stream.columns, headers, needed, place, connection, "contacts")
    require_the_right_way_round(columns, recognised.contacts, place)
    if not stream.columns:
        require_no_other_word(columns, header, place, connection)
    return columns


def map_products(
    header: Sequence[str], stream: Products, recognised: RecognisedHeaders, place: Path, connection: str
) -> dict[ProductColumn, str]:
    """Our column name → the header, of a file or a table at `place`.

    Raises:
        BadInput: when a declared column is missing, the sku cannot be found, or there is nothing but it.
    """
    return map_columns(header, stream.columns, recognised.products, NEEDED_OF_PRODUCTS, place, connection, "products")


def describe_order_lines(
    rows: TextRows,
    connection: str,
    stream: OrderLines,
    columns: Mapping[OrderLineColumn, str],
    recognised: RecognisedValues,
    read_on: date,
) -> tuple[tuple[OrderLineMapping, ...], tuple[str, ...]]:
    """What the columns of a table of text mean, with what the connection leaves open found from the values: a mapping
    for each group of files that are written alike; and what was found that somebody should know. `read_on`: no order
    is of a much later day.

    Raises:
        BadInput: when they can be read in two ways; the message says what to write in airbyte/connections.yml.
    """
    is_declared = bool(stream.columns)
    misnamed: list[str] = []
    if not is_declared:
        columns, misnamed = without_misnamed(rows, columns)
    numbers = {name: columns[name] for name in NUMBER_COLUMNS if name in columns}
    decimal = stream.decimal
    declared: Mapping[OrderLineColumn, Decimal]
    declared = decimal if isinstance(decimal, Mapping) else dict.fromkeys(numbers, decimal) if decimal else {}
    try:
        timestamps = _timestamps(rows, columns, ["ordered_at"], stream.timestamp_format, read_on)
        formats = find_number_formats(rows, numbers, declared)
        moment = moment_sql(f"trim({quote(columns['ordered_at'])})", next(iter(timestamps.values()))["ordered_at"])
        grain = find_grain(rows, columns, next(iter(formats.values())), moment, is_declared)
        last = last_rows(rows, grain.columns, grain.changes, moment)
        statuses = find_statuses(rows, last, grain.columns, stream, recognised, is_declared, grain.inherited)
        if "order_id" in columns and not stream.line_type.sales:
            require_no_total_beside_lines(rows.con, columns, statuses.line_types.get("sales", ()))
        if not is_declared:
            require_money_off_lines(rows, grain.columns, next(iter(formats.values())))
            require_no_other_status(rows, list(columns.values()), statuses.columns)
    except Unclear as unclear:
        raise refusal(unclear, "order_lines", connection, stream, columns) from None
    orders = OrderMeaning(
        inherited=[name for name in grain.inherited if name in statuses.columns],
        continued=grain.continued,
        refund_is_of_order=grain.refund_is_of_order,
        changes=grain.changes,
        sold=statuses.sold,
        refunded=statuses.refunded,
        given_back=statuses.given_back,
        line_types=statuses.line_types,
        currency_codes=_currency_codes(rows, statuses.columns),
    )
    ours_of = {theirs: ours for ours, theirs in statuses.columns.items()}  # which may have changed
    formats = {
        file: {ours_of[numbers[name]]: form for name, form in of_file.items() if numbers[name] in ours_of}
        for file, of_file in formats.items()
    }
    files = list(formats)
    mappings = tuple(
        order_line_mapping(
            connection,
            stream,
            statuses.columns,
            timestamps[group[0]],
            formats[group[0]],
            files=_named(group, files),
            several_files=len(files) > 1,
            orders=orders,
        )
        for group in _alike(files, timestamps, formats)
    )
    found = (*misnamed, *describe_names(rows, statuses.columns), *describe_formats(mappings, "ordered_at"))
    return mappings, (*found, *grain.notes, *statuses.notes)


def _currency_codes(rows: TextRows, columns: Mapping[OrderLineColumn, str]) -> dict[str, str]:
    """What a column of currencies writes otherwise → its ISO code: signs and names."""
    if "currency" not in columns:
        return {}
    column = f"trim({quote(columns['currency'])})"
    written = rows.con.execute(
        f"select distinct {column} from {rows.table} where {column} <> '' and length({column}) <> 3 limit 100"
    ).fetchall()
    return {sign: code for (sign,) in sorted(written) if (code := code_of(sign))}


def describe_rows(
    rows: TextRows, kind: Kind, connection: str, stream: Contacts | Products, columns: Mapping[Any, str], read_on: date
) -> tuple[RowMapping, ...]:
    """What the columns of a table of contacts or products mean, with what the connection leaves open found from the
    values: a mapping for each group of files that are written alike.

    Raises:
        BadInput: when they can be read in two ways; the message says what to write in airbyte/connections.yml.
    """
    try:
        timestamps = _timestamps(rows, columns, [], stream.timestamp_format, read_on)
    except Unclear as unclear:
        raise refusal(unclear, kind, connection, stream, columns) from None
    files = list(rows.by_file("1"))
    return tuple(
        row_mapping(connection, stream, columns, timestamps.get(group[0], {}), _named(group, files))
        for group in _alike(files, timestamps)
    )


def _timestamps(
    rows: TextRows, columns: Mapping[Any, str], needed: Sequence[str], declared: str | None, read_on: date
) -> dict[File, dict[Any, TimestampFormat]]:
    """File → our column → its format, of all that hold moments; those that are blank everywhere hold none."""
    formats: dict[File, dict[Any, TimestampFormat]] = {file: {} for file in rows.by_file("1")}
    for name in TIMESTAMP_COLUMNS:
        if name not in columns:
            continue
        blank = not any(
            filled for (filled,) in rows.by_file(f"count(*) filter (trim({quote(columns[name])}) <> '')").values()
        )
        if blank and name not in needed:
            continue
        try:
            found = find_timestamp_formats(rows, columns[name], declared, read_on)
        except Unclear:
            if name in needed or not declared:
                raise
            found = find_timestamp_formats(rows, columns[name], None, read_on)  # declared is what the order's are in
        for file, form in found.items():
            formats[file][name] = form
    return formats


def _alike(files: Sequence[File], *formats: Mapping[File, Mapping[Any, Any]]) -> list[list[File]]:
    """The files in groups of those that have the same formats."""
    groups: dict[str, list[File]] = {}
    for file in files:
        written = [{ours: asdict(form) for ours, form in of[file].items()} for of in formats if file in of]
        groups.setdefault(json.dumps(written, sort_keys=True), []).append(file)
    return list(groups.values())


def _named(group: Sequence[File], files: Sequence[File]) -> list[str] | None:
    return None if len(group) == len(files) else [file or "" for file in group]
