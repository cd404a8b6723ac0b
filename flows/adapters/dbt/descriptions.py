"""What dbt's yml files say about tables and their columns."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Description:
    """`text`: what a row is about, in sentences; `columns`: what each column says."""

    text: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Descriptions:
    """By model, and by table of a source: `schema.table` where its schema is always the same, else `table`."""

    by_name: Mapping[str, Description]

    def of(self, relation: str) -> Description | None:
        return self.by_name.get(relation) or self.by_name.get(relation.partition(".")[2])


def read_descriptions(folder: Path) -> Descriptions:
    """Of the dbt project in `folder`."""
    found = {}
    for file in sorted((folder / "models").rglob("*.yml")):
        content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        for name, table in _tables(content):
            columns = {column["name"]: _plain(column.get("description")) for column in table.get("columns") or ()}
            found[name] = Description(_plain(table.get("description")), columns)
    return Descriptions(found)


def _tables(content: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for model in content.get("models") or ():
        yield model["name"], model
    for source in content.get("sources") or ():
        schema = source.get("schema", source["name"])
        for table in source["tables"]:
            yield table["name"] if "{{" in schema else f"{schema}.{table['name']}", table


def _plain(description: str | None) -> str:
    """On one line, and without the grain, which is for those who join."""
    text = " ".join((description or "").split())
    return re.sub(r"\s*Grain(?: is|:) [^.]*\.", "", text)
