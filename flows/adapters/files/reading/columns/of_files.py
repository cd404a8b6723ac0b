"""The columns of files that are read together: all of them, those of every file, and what a file lacks."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flows.adapters.files.reading.tables.text_files import TextFile
from flows.errors import BadInput


def all_columns(files: Sequence[TextFile]) -> tuple[str, ...]:
    """The headers of all files, each once, however it is spelt."""
    by_name: dict[str, str] = {}
    for file in files:
        for name in file.header:
            by_name.setdefault(name.casefold(), name)
    return tuple(by_name.values())


def common_columns(files: Sequence[TextFile]) -> list[str]:
    """The headers that every file has."""
    return [name for name in all_columns(files) if not any(lacking(file, {name: name}) for file in files)]


def lacking(file: TextFile, columns: Mapping[Any, str]) -> dict[Any, str]:
    """What is mapped and not in the file."""
    there = {name.casefold() for name in file.header}
    return {ours: theirs for ours, theirs in columns.items() if theirs.casefold() not in there}


def require_needed(files: Sequence[TextFile], columns: Mapping[Any, str], needed: Sequence[Sequence[Any]]) -> None:
    """Files may have columns more or less, but not the ones without which there is no order or contact, under the same
    headers; nor may one lack the quantity that others multiply prices with."""
    for file in files:
        lacks = lacking(file, columns)
        without = [group for group in needed if not (set(group) & set(columns)) - set(lacks)]
        if without or ("quantity" in lacks and not {"amount", "order_total"} & set(columns)):
            headers = "\n  ".join(", ".join(each.header) for each in (file, files[0]))
            raise BadInput(
                f"{file.original} has no column {', '.join(map(repr, lacks.values()))}, which is {', '.join(lacks)} in"
                f" {files[0].original}:\n  {headers}\n"
                "Files read together need the same headers for these; read the others on their own."
            )


def describe_missing(files: Sequence[TextFile], columns: Mapping[Any, str]) -> Iterator[str]:
    """A sentence for each file that lacks a mapped column."""
    for file in files:
        if lacks := lacking(file, columns):
            yield f"{file.original.name} has no {', '.join(lacks.values())}: blank there"


def names_of(files: Sequence[TextFile]) -> list[str]:
    """How rows say which file they are from: its name, or its path where several have the same."""
    names = [file.original.name for file in files]
    return [name if names.count(name) == 1 else str(file.original) for name, file in zip(names, files, strict=True)]
