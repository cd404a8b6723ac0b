"""A stream's columns: their types, and how DuckDB makes their values from JSON."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from flows.adapters.duckdb.sql import literal, quote
from flows.ports.syncs import SyncFailed

UNDECLARED = "varchar"  # undeclared fields land as text, which can become any other type later

_TYPES = {
    "string": "varchar",
    "boolean": "boolean",
    "integer": "bigint",
    "number": "double",
    "object": "json",
    "array": "json",
}
_FORMATS = {"date-time": "timestamp with time zone", "date": "date"}
_READ = {
    "varchar": "{text}",
    "boolean": "try_cast({text} as boolean)",
    # a cast alone would round 1.5 to 2
    "bigint": "case when try_cast({text} as double) % 1 = 0 then try_cast({text} as bigint) end",
    "double": "case when isfinite(try_cast({text} as double)) then try_cast({text} as double) end",
    "timestamp with time zone": "try_cast({text} as timestamptz)",
    "date": "try_cast({text} as date)",
    "json": "case when {text} is not null then {value} end",
}


def declared_columns(stream: str, schema: Mapping[str, Any]) -> dict[str, str]:
    """DuckDB's type of each column that a stream's JSON schema declares; json where several types are possible.

    Raises:
        SyncFailed: when two names differ in capitals only, which are one to DuckDB and to Snowflake.
    """
    columns = {name: _type(definition) for name, definition in schema.get("properties", {}).items()}
    seen: dict[str, str] = {}
    for name in columns:
        if (other := seen.setdefault(name.lower(), name)) != name:
            raise SyncFailed(
                f"The stream {stream} has the columns {other} and {name}, which are one name to a warehouse:"
                " rename one in the manifest."
            )
    return columns


def _type(definition: Any) -> str:
    if not isinstance(definition, Mapping):
        return "json"
    given = definition.get("type", [])
    kinds = {given} if isinstance(given, str) else set(given)
    kinds.discard("null")
    if kinds == {"integer", "number"}:
        return "double"
    if len(kinds) != 1:
        return "json"
    kind = kinds.pop()
    return _FORMATS.get(definition.get("format", ""), "varchar") if kind == "string" else _TYPES.get(kind, "json")


def read_json(kind: str, text: str, value: str) -> str:
    """SQL: the value of a type, or NULL where it does not fit. `text` is the JSON `value` without quotation marks."""
    return _READ[kind].format(text=text, value=value)


def may_not_fit(kind: str) -> bool:
    """Whether there are JSON values that the type cannot hold."""
    return kind not in ("varchar", "json")


def converted(column: str, old: str, new: str) -> str:
    """SQL: a table's column in another type, NULL where it does not fit."""
    if new == "json":
        kept = f"try_cast({column} as json)" if old == "varchar" else "null"
        return f"coalesce({kept}, to_json({column}))"
    text = f"({column} ->> '$')" if old == "json" else column
    return f"try_cast({text} as {new})"


def pointer(name: str) -> str:
    """A field of a record as a JSON pointer, in an SQL literal."""
    return literal("/record/data/" + name.replace("~", "~0").replace("/", "~1"))


def meta(sync_id: int, misfits: Mapping[str, str]) -> str:
    """SQL: Airbyte's `_airbyte_meta`, which lists the fields whose condition in `misfits` holds."""
    changes = ", ".join(
        f"case when {condition} then {literal(json.dumps(_nulled(field), separators=(',', ':')))} end"
        for field, condition in misfits.items()
    )
    all_changes = f"concat_ws(',', {changes})" if changes else "''"
    return f"""cast('{{"sync_id":{sync_id},"changes":[' || {all_changes} || ']}}' as json)"""


def _nulled(field: str) -> dict[str, str]:
    return {"field": field, "change": "NULLED", "reason": "DESTINATION_SERIALIZATION_ERROR"}


def listed(columns: Iterable[str]) -> str:
    return ", ".join(map(quote, columns))
