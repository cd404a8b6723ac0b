"""What is kept about a person, as a page that they can read, or as JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2

from flows.adapters.privacy.personal_export import Part

_TEMPLATE = Path(__file__).with_name("person_page.html.j2")


@dataclass(frozen=True)
class PersonExport:
    """`names`: all ids and addresses of the person; `notes`: what else is to be known, a sentence each."""

    names: Sequence[str]
    written_at: datetime
    parts: Sequence[Part]
    notes: Sequence[str]

    @property
    def rows(self) -> int:
        return sum(len(part.rows) for part in self.parts)


def as_page(export: PersonExport) -> str:
    """One HTML file that needs nothing else."""
    template = jinja2.Template(_TEMPLATE.read_text(encoding="utf-8"), autoescape=True)
    return template.render(export=export, columns_of=_columns_of, text=_text)


def as_json(export: PersonExport) -> str:
    """The same for machines."""
    content = asdict(export) | {"written_at": export.written_at.isoformat()}
    return json.dumps(content, indent=2, ensure_ascii=False, default=_text) + "\n"


def _columns_of(part: Part) -> list[str]:
    """Those that any row has, in the order of the rows."""
    return list(dict.fromkeys(name for row in part.rows for name in row))


def _text(value: Any) -> str:
    return "; ".join(_texts(value))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (f"{name}: {_text(part)}" for name, part in value.items())
    elif isinstance(value, list):
        yield from map(_text, value)
    elif value is not None:
        yield str(value)
