"""Which column of a file is which, from its headers alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from flows.adapters.files.reading.questions import MissingColumns
from flows.errors import BadInput
from flows.sources.connections import Column
from flows.sources.mappings import Kind
from flows.sources.words import plain

Name = TypeVar("Name", bound=Column)


def map_columns(
    header: Sequence[str],
    declared: Mapping[Name, str],
    recognised: Mapping[Name, Sequence[str]],
    needed: Sequence[Sequence[Name]],
    file: Path,
    connection: str,
    kind: Kind,
) -> dict[Name, str]:
    """Our column name → the file's header, as declared for the connection, else as recognised.

    Of each group in `needed`, at least one must be there.

    Raises:
        BadInput: when a declared column is missing, or one that is needed cannot be found.
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
    if unknown := [group for group in needed if not set(group) & set(columns)]:
        raise MissingColumns(file, kind, header, columns, unknown)
    return columns


def _recognise(header: Sequence[str], recognised: Mapping[Name, Sequence[str]]) -> dict[Name, str]:
    by_plain_name = {plain(name): name for name in reversed(header)}
    columns: dict[Name, str] = {}
    for ours, theirs in recognised.items():
        for candidate in map(plain, theirs):
            name = by_plain_name.get(candidate)
            if name is not None and name not in columns.values():
                columns[ours] = name
                break
    return columns
