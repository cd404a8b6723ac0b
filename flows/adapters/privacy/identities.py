"""Ids and addresses in a warehouse, and which of them belong to one person alone."""

import re
from collections.abc import Iterable, Iterator

from flows.ports.warehouse import Warehouse
from flows.sources.connections import Connections

# how many steps names are followed: an address of an id of an address …
ROUNDS = 10
# An id or address with more names than that is a till's address or all guests' id, and belongs to nobody. The variable
# of the same name in dbt_project.yml, from which int_identity_links decides it, is held to this by a test.
MAX_NAMES_OF_ONE_PERSON = 5
ORDER_LINES, CONTACTS = "staging.stg_shop__order_lines_validated", "staging.stg_shop__contacts_validated"
# relations, and two columns of each that name the same person
PAIRS = (
    ("intermediate.int_customer_identities", "given_customer_id", "customer_id"),
    ("intermediate.int_customer_emails", "email", "customer_id"),
    (ORDER_LINES, "email", "customer_id"),
    (CONTACTS, "email", "customer_id"),
)


def followed(warehouse: Warehouse, connections: Connections, names: set[str]) -> set[str]:
    """All names of the same people, except for those that others share."""
    known, new = set(names), set(names)
    for _ in range(ROUNDS):
        new -= shared_addresses(warehouse, new).keys()
        if not new:
            break
        new = set(_names_beside(warehouse, connections, new)) - known
        new -= shared_addresses(warehouse, new).keys()
        known |= new
    return known


def shared_addresses(warehouse: Warehouse, names: set[str]) -> dict[str, int]:
    """The names that occur with so many others that they belong to nobody, with their number."""
    shared: dict[str, int] = {}
    for relation, email, customer in PAIRS[2:]:
        if not names or not warehouse.exists(relation):
            continue
        for one, other in ((email, customer), (customer, email)):
            found = warehouse.read(
                f"select {one} as name, count(distinct {other}) as others from {relation} where {one} in"
                f" ({listed(names)}) group by {one} having count(distinct {other}) > {MAX_NAMES_OF_ONE_PERSON}"
            )
            shared |= {row["name"]: max(row["others"], shared.get(row["name"], 0)) for row in found.to_pylist()}
    return shared


def names_there(warehouse: Warehouse, connections: Connections) -> Iterator[str]:
    """Every id and address that a run has just landed, and those of predictions merged meanwhile."""
    columns = [(relation, column) for relation, *pair in PAIRS[2:] for column in pair]
    columns += [("staging.stg_shop__email_events", "email"), ("marts.churn_predictions", "customer_id")]
    columns += [(model, column) for model in _personal_models(connections) for column in ("customer_id", "email")]
    for relation, column in columns:
        if warehouse.exists(relation):
            names = warehouse.read(f"select distinct {column} as name from {relation} where {column} is not null")
            yield from names.column("name").to_pylist()
    for relation, column in ((CONTACTS, "other_emails"), ("raw.unreadable_lines", "content"),
                             ("raw.unreadable_contacts", "content")):  # fmt: skip
        if warehouse.exists(relation):
            texts = warehouse.read(f"select distinct {column} as text from {relation} where {column} is not null")
            for text in texts.column("text").to_pylist():
                yield from words_of(text)


def words_of(line: str) -> list[str]:
    """The parts between the separators of a line."""
    return [word for word in re.split(r"[\s,;|\"']+", line) if word]


def _names_beside(warehouse: Warehouse, connections: Connections, names: set[str]) -> Iterator[str]:
    """Ids and addresses that occur next to one of these."""
    theirs = listed(names)
    for relation, one, other in PAIRS:
        if warehouse.exists(relation):
            rows = warehouse.read(
                f"select distinct {one}, {other} from {relation} where {one} in ({theirs}) or {other} in ({theirs})"
            )
            for column in (one, other):
                yield from filter(None, rows.column(column).to_pylist())
    if warehouse.exists(CONTACTS):
        listed_among = " or ".join(
            f"position(({listed([f';{name};'])}) in ';' || replace(other_emails, ' ', '') || ';') > 0" for name in names
        )
        rows = warehouse.read(
            f"select email, customer_id, other_emails from {CONTACTS} where other_emails is not null"
            f" and (email in ({theirs}) or customer_id in ({theirs}) or {listed_among})"
        )
        for row in rows.to_pylist():
            yield from filter(None, (row["email"], row["customer_id"], *words_of(row["other_emails"])))
    for model in _personal_models(connections):
        if warehouse.exists(model):
            rows = warehouse.read(
                f"select distinct others.customer_id, others.email from {model} as those inner join {model} as others"
                " on those._airbyte_raw_id = others._airbyte_raw_id"
                f" where those.customer_id in ({theirs}) or those.email in ({theirs})"
            )
            for column in ("customer_id", "email"):
                yield from filter(None, rows.column(column).to_pylist())


def _personal_models(connections: Connections) -> list[str]:
    return [f"staging.{one.personal_records}" for one in connections.connections.values() if one.personal_records]


def listed(values: Iterable[str]) -> str:
    """Literals for `in (…)` that work in DuckDB and in Snowflake, where a backslash within quotes is an escape."""
    literals = (
        " || chr(92) || ".join("'" + part.replace("'", "''") + "'" for part in value.split("\\"))
        for value in sorted(values)
    )
    return ", ".join(literals) or "null"
