"""What a run would understand of a file, without a run: nothing of the shop's is read or written."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
from rich.console import Console

from flows.adapters.files.reading.columns.guesses import candidates, look_at
from flows.adapters.files.reading.questions import Answer, MissingColumns, entry
from flows.adapters.files.reading.tables.header_row import HeaderNames
from flows.adapters.files.reading.tables.opening import Tables
from flows.adapters.files.reading.tables.text_files import find_files
from flows.adapters.marts.receipt import read_receipt
from flows.console.receipt_summary import describe_receipt, months_table
from flows.console.sections import Section, print_sections
from flows.errors import BadInput
from flows.ports.warehouse import Warehouse
from flows.settings import Settings
from flows.sources.mappings import Landing
from flows.sources.receipt import breaches
from flows.sources.selection import Sources, sources_of
from flows.sources.words import plain
from flows.steps.building import STAGING, build
from flows.steps.landing import land, mappings_of
from flows.wiring import Wiring, wire
from functions.clock import now

READ_AS = {"order_total": "amount", "unit_price": "amount"}  # our columns that end up in another


def inspect(settings: Settings) -> None:
    """Prints what each column is taken for, what the rows amount to, and the entry to write where nobody has.
    `settings.data_dir`: a folder that is thrown away.

    Raises:
        BadInput: when the file cannot be read, or not without an answer; the message has the entry to write.
    """
    here = settings.model_copy(update={"warehouse": "duckdb"})
    wiring = wire(here)
    sources = sources_of(here, wiring.connections)
    connection, pattern = sources.files.get("order_lines", ("", None))
    if pattern is None:
        raise BadInput("Name the file to look at: churn inspect FILE, or make inspect ORDERS=FILE.")
    console = Console(width=None if sys.stdout.isatty() else 112)
    try:
        print_sections(_sections(here, wiring, sources), console)
    except MissingColumns as missing:
        raise BadInput(_with_guesses(missing, here, wiring, connection, pattern)) from None


def _sections(settings: Settings, wiring: Wiring, sources: Sources) -> Iterator[Section]:
    started_at = now()
    landings = land(wiring.warehouse, wiring.connections, sources, None, started_at)
    orders = landings[0]
    yield "What was found", [f"{orders.rows:,} rows in {', '.join(map(str, orders.files))}", *orders.notes], (), []
    run_values = {"run_date": str(started_at.date()), "scored_at": None, "given_as_of": None}
    build(wiring.dbt, "order lines", STAGING, mappings_of(sources, landings), run_values)
    yield "A row as it is read", [], *_row_as_read(wiring.warehouse, orders)
    receipt = read_receipt(wiring.warehouse)
    yield "What a run would say", list(describe_receipt(receipt)), *months_table(receipt)
    stops = [f"{breach.limit}: {breach.why}" for breach in breaches(receipt) if breach.limit not in settings.accepted]
    if stops:
        yield "What a run would stop at", stops, (), []
    meaning = wiring.connections.connection(orders.connection).order_lines
    if meaning is not None and not meaning.columns:
        written = entry("my_shop", "order_lines", meaning, orders.mappings[0].columns).splitlines()
        yield "To change something: an entry for airbyte/connections.yml, and SOURCE=my_shop", written, (), []


def _row_as_read(warehouse: Warehouse, orders: Landing) -> tuple[Sequence[str], list[Sequence[str]]]:
    """The first row that is used, or else the first: header, as written, our column, as read."""
    read = warehouse.read(
        """select * from staging.stg_shop__order_lines_validated
        order by case when rejection_reason is null then 0 else 1 end, order_line_key limit 1"""
    ).to_pylist()[0]
    raw = f"raw_{orders.connection}.order_lines"
    written = warehouse.read(f"select * from {raw} where _airbyte_raw_id = '{read['order_line_key']}'").to_pylist()[0]
    ours_of = {theirs: ours for ours, theirs in orders.mappings[0].columns.items()}
    rows: list[Sequence[str]] = []
    for header, value in written.items():
        if header.startswith("_a"):  # Airbyte's own
            continue
        ours = ours_of.get(header, "")
        rows.append((header, _short(value), ours or "not used", _short(read.get(READ_AS.get(ours, ours)))))
    return ("column", "as written", "taken as", "read as"), rows


def _with_guesses(missing: MissingColumns, settings: Settings, wiring: Wiring, connection: str, pattern: str) -> str:
    """The refusal, with the columns that may be the missing ones as comments."""
    stream = wiring.connections.connection(connection).order_lines
    assert stream is not None  # checked by sources_of
    headers = [frozenset({plain(header)}) for header in missing.header]
    names = HeaderNames(headers, frozenset().union(*headers))
    files = Tables(names, settings.scratch, stream.delimiter, stream.sheet).open(find_files(pattern))
    with duckdb.connect() as con:
        seen = [column for column in look_at(con, files[0]) if column.header not in missing.columns.values()]
    asked = {
        group[0]: [
            Answer(group[0], column.header, f"for example {_short(column.example)}, {column.different:,} values")
            for column in candidates(seen, group[0])
        ]
        for group in missing.missing
    }
    lines = "\n".join(
        f"  {column.header}: {f'for example {_short(column.example)}' if column.filled else 'blank'}" for column in seen
    )
    written = entry("my_shop", "order_lines", stream, missing.columns, asked=asked)
    return (
        f"{files[0].original}: these columns were not recognised:\n{lines}\n\n"
        "Write this under `connections` in airbyte/connections.yml, with the right answers, and look again with"
        f" SOURCE=my_shop:\n\n{written}"
    )


def _short(value: Any) -> str:
    text = "" if value is None else " ".join(str(value).split())
    return text if len(text) <= 40 else f"{text[:39]}…"
