"""What only the shop can say about its files: the question, its possible answers, and where to write one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from flows.errors import BadInput
from flows.sources.connections import Contacts, OrderLines
from flows.sources.mappings import Kind

GENERIC = {"order_lines": "orders_csv", "contacts": "contacts_csv"}


@dataclass(frozen=True)
class Answer:
    """A line of an entry in airbyte/connections.yml, and what it would mean."""

    key: str
    value: Any
    meaning: str


class Unclear(Exception):
    """Values that can be read in several ways, or in none that is known."""

    def __init__(self, problem: str, answers: Sequence[Answer]) -> None:
        super().__init__(problem)
        self.problem, self.answers = problem, tuple(answers)


def refusal(
    unclear: Unclear, kind: Kind, connection: str, stream: OrderLines | Contacts, columns: Mapping[Any, str]
) -> BadInput:
    """The question with the entry to write, one answer in it and the others as comments."""
    name, again = connection, ""
    if connection == GENERIC.get(kind):
        name, again = f"my_{kind}", f", then run again with SOURCE=my_{kind}"
    if kind == "contacts":
        again = again.replace("SOURCE", "CONTACTS")
    written = entry(name, kind, stream, columns, unclear.answers)
    return BadInput(f"{unclear.problem}\nSay so in airbyte/connections.yml, under `connections`{again}:\n\n{written}")


def entry(
    name: str,
    kind: Kind,
    stream: OrderLines | Contacts,
    columns: Mapping[Any, str],
    answers: Sequence[Answer] = (),
) -> str:
    """YAML of an entry for files like these, to stand under `connections`: what the connection says already, which
    column is which, and the answers, of which the first counts."""
    said = stream.model_dump(mode="json", exclude_defaults=True) | {"columns": dict(columns)}
    said = {key: value for key, value in said.items() if key not in {answer.key for answer in answers}}
    whole = {
        name: {
            "description": "My shop's export",
            "connector": "csv",
            "streams": {kind: {"sync_mode": "full_refresh_overwrite"}},
            kind: said,
        }
    }
    lines = yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=1_000).splitlines()
    for number, answer in enumerate(answers):
        value = yaml.safe_dump([answer.value], allow_unicode=True, width=1_000, default_flow_style=True).strip()[1:-1]
        lines.append(f"    {'# ' if number else ''}{answer.key}: {value}  # {answer.meaning}")
    return "\n".join(f"  {line}" for line in lines)
