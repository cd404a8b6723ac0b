"""Traits of customers from what the shop has: features of orders and e-mails, what was bought, at a discount or not,
and the columns of contacts files. They are covariates of the uplift model."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.adapters.marts.raw_columns import IDENTITIES, LINES, PERSON, first_of, plain, quoted, raw_columns, sources_of
from flows.campaigns.traits import encode, of_texts
from flows.ports.warehouse import Warehouse
from flows.sources.connections import Connections
from flows.sources.platforms import headers_of_order_lines

# Of marts.customer_features and marts.marketing_customers; e-mails are NULL where no source has any.
OF_FEATURES = (
    "returned_share", "lines_per_purchase", "emails_opened_last_90_days", "emails_clicked_last_90_days",
    "days_since_last_email_open",
)  # fmt: skip
MAX_CATEGORIES, MAX_PRODUCTS, MAX_COLUMNS_OF_CONTACTS = 12, 6, 40
CONTACTS = "staging.stg_shop__contacts_validated"
LINKS = "intermediate.int_identity_links"


def with_traits(warehouse: Warehouse, connections: Connections, candidates: pa.Table, as_of: date) -> pa.Table:
    """The candidates with the column `traits`, see flows/campaigns/traits.py."""
    ids = candidates["customer_id"]
    columns: dict[str, Sequence[Any]] = {}
    for found in _parts(warehouse, connections, as_of):
        position = pc.index_in(ids, found["customer_id"].combine_chunks())
        for name in found.column_names[1:]:
            values = found[name].take(position).to_pylist()
            earlier = columns.get(name, values)  # of another source
            columns[name] = [new if old is None else old for old, new in zip(earlier, values, strict=True)]
    texts = {name: of_texts(columns.pop(name)) for name in list(columns) if name.startswith("contacts.")}
    columns |= {name: values for name, values in texts.items() if values is not None}
    return candidates.append_column("traits", encode(columns, len(candidates)))


def _parts(warehouse: Warehouse, connections: Connections, as_of: date) -> Iterator[pa.Table]:
    features = ", ".join(f"cast(features.{name} as double) as {name}" for name in OF_FEATURES)
    yield warehouse.read(
        f"""select features.customer_id, customers.lifecycle, {features} from marts.customer_features as features
        inner join marts.marketing_customers as customers on features.customer_id = customers.customer_id"""
    )
    for name in sources_of(warehouse, LINES):
        yield from _of_lines(warehouse, connections, name, as_of)
    if warehouse.exists(LINKS):
        for name in sources_of(warehouse, CONTACTS):
            yield from _of_contacts(warehouse, connections, name)


def _of_lines(warehouse: Warehouse, connections: Connections, name: str, as_of: date) -> Iterator[pa.Table]:
    """Shares of what each customer spent: on the categories, or else products, that most customers bought; and on lines
    at a discount."""
    columns = raw_columns(warehouse, name, "order_lines")
    sold = (
        f"from {LINES} as lines {IDENTITIES.format(table='lines')}"
        f" {{join}} where lines.source_name = '{name}' and lines.rejection_reason is null and not lines.is_return"
        f" and lines.ordered_on <= '{as_of}' and lines.customer_id is not null and lines.amount > 0"
    )
    person = PERSON.format(table="lines")
    raw = f"inner join raw_{name}.order_lines as landed on landed._airbyte_raw_id = lines.order_line_key"
    category = first_of(columns, connections.recognised_headers.traits["category"])
    kind, what = ("category", f"trim(landed.{quoted(category)})") if category else ("product", "lines.sku")
    sold_so = sold.format(join=raw if category else "")
    most = warehouse.read(
        f"""select {what} as name, count(distinct {person}) as customers {sold_so} and {what} is not null
        group by {what} order by customers desc, name limit {MAX_CATEGORIES if category else MAX_PRODUCTS}"""
    )
    names = [value for value in most["name"].to_pylist() if value]
    if names:
        shares = ", ".join(
            f"cast(sum(case when {what} = {_text(value)} then lines.amount else 0 end) as double)"
            f" / cast(sum(lines.amount) as double) as share_{n}"
            for n, value in enumerate(names)
        )
        found = warehouse.read(
            f"""select {person} as customer_id, cast(count(distinct {what}) as double) as variety, {shares}
            {sold_so} group by {person}"""
        )
        plural = "categories_bought" if category else "products_bought"
        yield found.rename_columns(["customer_id", plural, *(f"{kind}.{value}" for value in names)])
    discount = first_of(columns, headers_of_order_lines(connections)["discount"])
    if discount:
        given = f"try_cast(replace(landed.{quoted(discount)}, ',', '.') as double)"
        yield warehouse.read(
            f"""select {person} as customer_id,
                cast(sum(case when abs({given}) > 0 then lines.amount else 0 end) as double)
                    / cast(sum(lines.amount) as double) as discounted_share
            {sold.format(join=raw)} group by {person}"""
        )


def _of_contacts(warehouse: Warehouse, connections: Connections, name: str) -> Iterator[pa.Table]:
    """Every column of a contacts file that has no meaning of ours, as text."""
    columns = raw_columns(warehouse, name, "contacts")
    ours = {plain(header) for headers in connections.recognised_headers.contacts.values() for header in headers}
    if mapped := connections.connections[name].contacts:
        ours |= {plain(header) for header in mapped.columns.values()} if isinstance(mapped.columns, Mapping) else set()
    theirs = {name: column for name, column in columns.items() if name not in ours}
    theirs = dict(sorted(theirs.items())[:MAX_COLUMNS_OF_CONTACTS])
    if not theirs:
        return
    found = _values(warehouse, name, list(theirs.values()))
    yield found.rename_columns(["customer_id", *(f"contacts.{column}" for column in theirs)])


def read_languages(warehouse: Warehouse, connections: Connections) -> pa.Table:
    """customer_id and language, as contacts have it, of the customers of whom it is known."""
    known = [pa.table({"customer_id": pa.array([], pa.string()), "language": pa.array([], pa.string())})]
    for name in sources_of(warehouse, CONTACTS) if warehouse.exists(LINKS) else []:
        columns = raw_columns(warehouse, name, "contacts")
        if language := first_of(columns, connections.recognised_headers.traits["language"]):
            found = _values(warehouse, name, [language]).rename_columns(["customer_id", "language"])
            known.append(found.filter(pc.is_valid(found["language"])))
    every = pa.concat_tables(known)
    return (
        every.group_by("customer_id", use_threads=False)
        .aggregate([("language", "first")])
        .rename_columns(["customer_id", "language"])
    )


def with_language(languages: pa.Table, candidates: pa.Table) -> pa.Table:
    """The candidates with the column `language`, of what `read_languages` found."""
    position = pc.index_in(candidates["customer_id"], languages["customer_id"].combine_chunks())
    return candidates.append_column("language", languages["language"].take(position))


def _values(warehouse: Warehouse, name: str, columns: Sequence[str]) -> pa.Table:
    """customer_id, and for each column of the contacts of a source the value, as text."""
    person = PERSON.format(table="links")
    values = ", ".join(
        f"min(nullif(trim(cast(landed.{quoted(column)} as varchar)), '')) as column_{n}"
        for n, column in enumerate(columns)
    )
    return warehouse.read(
        f"""select {person} as customer_id, {values} from raw_{name}.contacts as landed
        inner join {CONTACTS} as contacts
            on contacts.contact_key = landed._airbyte_raw_id and contacts.source_name = '{name}'
        inner join {LINKS} as links on links.kind = 'contact' and links.link = contacts.contact_key
        {IDENTITIES.format(table="links")}
        where contacts.rejection_reason is null group by {person}"""
    )


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
