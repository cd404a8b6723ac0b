"""Which column of a file is which, from its headers alone."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from flows.adapters.connections import OrderLineColumn
from flows.errors import BadInput


def map_columns(
    header: Sequence[str],
    declared: Mapping[OrderLineColumn, str],
    recognised: Mapping[OrderLineColumn, Sequence[str]],
    file: Path,
    connection: str,
) -> dict[OrderLineColumn, str]:
    """Our column name → the file's header, as declared for the connection, else as recognised.

    Raises:
        BadInput: when a declared column is missing, or customer, date or amount cannot be found.
    """
    if declared:
        missing = {ours: theirs for ours, theirs in declared.items() if theirs not in header}
        if missing:
            lines = "\n  ".join(f"{ours}: {theirs}" for ours, theirs in missing.items())
            raise BadInput(
                f"{file} lacks columns that airbyte/connections.yml maps for {connection}:\n  {lines}\n"
                f"Its columns are: {', '.join(header)}."
            )
        columns = dict(declared)
    else:
        columns = _recognise(header, recognised)
    _require_usable(columns, header, file)
    return columns


def _recognise(
    header: Sequence[str], recognised: Mapping[OrderLineColumn, Sequence[str]]
) -> dict[OrderLineColumn, str]:
    by_plain_name = {_plain(name): name for name in reversed(header)}
    columns: dict[OrderLineColumn, str] = {}
    for ours, theirs in recognised.items():
        for candidate in map(_plain, theirs):
            name = by_plain_name.get(candidate)
            if name is not None and name not in columns.values():
                columns[ours] = name
                break
    return columns


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _require_usable(columns: Mapping[OrderLineColumn, str], header: Sequence[str], file: Path) -> None:
    wanted = {
        "customer_id": "customer_id" in columns,
        "ordered_at": "ordered_at" in columns,
        "amount": "amount" in columns or "unit_price" in columns,
    }
    missing = [name for name, found in wanted.items() if not found]
    if not missing:
        return
    snippet = "\n".join(f"          {name}: <the header of that column>" for name in missing)
    raise BadInput(
        f"{file}: no column was recognised as {' or '.join(missing)}.\n"
        f"Its columns are: {', '.join(header)}.\n"
        "Say which is which in airbyte/connections.yml, then run again with SOURCE=my_shop:\n\n"
        "  my_shop:\n    description: My shop's export\n    connector: csv\n    streams:\n      order_lines:\n"
        f"        columns:\n" + "".join(f"          {ours}: {theirs}\n" for ours, theirs in columns.items()) + snippet
    )
