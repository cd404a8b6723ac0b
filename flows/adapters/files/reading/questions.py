"""What only the shop can say about its files: the question, its possible answers, and where to write one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import yaml

from flows.errors import BadInput
from flows.sources.connections import Contacts, OrderLines, Products
from flows.sources.mappings import Kind

UNKNOWN = "<the header of that column>"
QUESTIONS = {
    "customer_id": "which column tells customers apart? Their e-mail address does, if there is nothing else",
    "ordered_at": "which column is the day, or the moment, of the order?",
    "amount": "which column is what was paid for the row? Or unit_price, with quantity",
    "email": "which column is the e-mail address? Or customer_id, the shop's own id",
    "sku": "which column is the product's number, as order lines have it?",
    "name": "which column is the product's name? Or category, or is_active",
}
GENERIC = {"order_lines": "orders_csv", "contacts": "contacts_csv", "products": "products_csv"}
# of each kind, the option and the name of an entry that a message proposes
PROPOSED = {"contacts": ("CONTACTS", "my_contacts"), "products": ("PRODUCTS", "my_products")}


@dataclass(frozen=True)
class Answer:
    """A line of an entry in airbyte/connections.yml, and what it would mean."""

    key: str
    value: Any
    meaning: str


def columns_instead(columns: Mapping[Any, str], name: str, instead: str, meaning: str) -> Answer:
    """That the header of our column `name` is the column `instead`."""
    return Answer("columns", {instead if ours == name else ours: theirs for ours, theirs in columns.items()}, meaning)


class MissingColumns(BadInput):
    """Columns without which there is no order or contact. `columns`: those that were recognised; of each group in
    `missing`, one is needed."""

    def __init__(
        self, place: object, kind: Kind, header: Sequence[str], columns: Mapping[Any, str], missing: Sequence[Any]
    ) -> None:
        self.header, self.columns, self.missing = header, columns, missing
        named = " and ".join(" or ".join(group) for group in missing)
        asked = {group[0]: () for group in missing}
        super().__init__(
            f"{place}: no column was recognised as {named}.\nIts columns are: {', '.join(header)}.\nSay which is which"
            " in airbyte/connections.yml, under `connections`, then run again with"
            f" {PROPOSED.get(kind, ('SOURCE', ''))[0]}=my_shop:\n\n"
            + entry("my_shop", kind, None, columns, asked=asked)
        )


class Unclear(Exception):
    """Values that can be read in several ways, or in none that is known."""

    def __init__(self, problem: str, answers: Sequence[Answer]) -> None:
        super().__init__(problem)
        self.problem, self.answers = problem, tuple(answers)


def refusal(
    unclear: Unclear, kind: Kind, connection: str, stream: OrderLines | Contacts | Products, columns: Mapping[Any, str]
) -> BadInput:
    """The question with the entry to write, one answer in it and the others as comments."""
    name, again = connection, ""
    if connection == GENERIC.get(kind):
        option, name = PROPOSED.get(kind, ("SOURCE", "my_shop"))
        again = f", then run again with {option}={name}"
    written = entry(name, kind, stream, columns, unclear.answers)
    return BadInput(f"{unclear.problem}\nSay so in airbyte/connections.yml, under `connections`{again}:\n\n{written}")


def entry(
    name: str,
    kind: Kind,
    stream: OrderLines | Contacts | Products | None,
    columns: Mapping[Any, str],
    answers: Sequence[Answer] = (),
    asked: Mapping[str, Sequence[Answer]] = MappingProxyType({}),
) -> str:
    """YAML of an entry for files like these, to stand under `connections`: what the connection says already, which
    column is which, and the answers, of which the first counts. `asked`: our columns that nobody knows, with those of
    the file that each may be."""
    said = stream.model_dump(mode="json", exclude_defaults=True) if stream else {}
    said |= {"columns": {**columns, **dict.fromkeys(asked, UNKNOWN)}}
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
    for ours, candidates in asked.items():
        place = lines.index(f"      {ours}: {UNKNOWN}")
        found = list(_alternatives(candidates, "      ")) or [lines[place]]
        lines[place : place + 1] = [f"      # {QUESTIONS[ours]}", *found]
    if not said:  # the answers are all there is
        lines[-1] = lines[-1].removesuffix(" {}")
    lines += _alternatives(answers, "    ")
    return "\n".join(f"  {line}" for line in lines)


def _alternatives(answers: Sequence[Answer], indent: str) -> Iterator[str]:
    for number, answer in enumerate(answers):
        value = yaml.safe_dump([answer.value], allow_unicode=True, width=1_000, default_flow_style=True).strip()[1:-1]
        yield f"{indent}{'# ' if number else ''}{answer.key}: {value}  # {answer.meaning}"
