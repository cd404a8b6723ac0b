"""`raw.told`: what people have been told already, so that nobody is told twice."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import pyarrow as pa

from flows.ports.warehouse import Warehouse

RELATION, KEY = "raw.told", ("what",)
_SCHEMA = pa.schema({"what": pa.string(), "told_at": pa.timestamp("us")})


def untold(warehouse: Warehouse, what: Sequence[str]) -> list[str]:
    """Those of these that nobody was told."""
    if not warehouse.exists(RELATION):
        return list(what)
    told = set(warehouse.read(f"select what from {RELATION}").column("what").to_pylist())
    return [one for one in what if one not in told]


def remember(warehouse: Warehouse, what: Iterable[str], at: datetime) -> None:
    """That these were told. `at`: UTC."""
    rows = [{"what": one, "told_at": at.replace(tzinfo=None)} for one in what]
    if rows:
        warehouse.merge(RELATION, pa.Table.from_pylist(rows, schema=_SCHEMA), KEY)
