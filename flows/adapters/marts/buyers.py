"""The customers who bought a category or a product, as a campaign's audience names it."""

import difflib
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from flows.adapters.marts.catalogue import read_catalogue
from flows.adapters.marts.next_products import read_purchases
from flows.baskets.due import buyers_of
from flows.baskets.purchases import Purchases
from flows.campaigns.definition import Bought
from flows.errors import BadInput
from flows.ports.warehouse import Warehouse
from flows.sources.connections import Connections

MAX_NAMED = 20


def read_buyers(warehouse: Warehouse, connections: Connections, bought: Bought, as_of: date) -> pa.Array:
    """Their ids.

    Raises:
        BadInput: when there is no such category or product, with those that there are.
    """
    rows = read_purchases(warehouse)
    if bought.category is None:
        kind, wanted, names = "product", bought.product or "", rows["product"]
    else:
        _, categories = read_catalogue(warehouse, connections, as_of)
        known = pa.table({"product": [*categories], "category": pa.array([*categories.values()], pa.string())})
        place = pc.index_in(rows["product"], known["product"].combine_chunks().cast(pa.string()))
        kind, wanted, names = "category", bought.category, known["category"].take(place)
    of_wanted = rows.filter(pc.fill_null(pc.equal(names, wanted), False))
    if not len(of_wanted):
        raise BadInput(_unknown(kind, wanted, sorted(filter(None, names.unique().to_pylist()))))
    one = of_wanted.set_column(of_wanted.column_names.index("product"), "product", pa.repeat(wanted, len(of_wanted)))
    return buyers_of(Purchases.of(one), as_of.toordinal(), bought.due)


def with_bought(buyers: pa.Array, candidates: pa.Table) -> pa.Table:
    """The candidates with the column `has_bought`, of what `read_buyers` found."""
    return candidates.append_column("has_bought", pc.is_in(candidates["customer_id"], buyers))


def _unknown(kind: str, wanted: str, known: list[str]) -> str:
    where = f"audience.bought.{kind}"
    if not known:
        needs = "a column such as `category`, or PRODUCTS= a table" if kind == "category" else "a column `sku`"
        return f"{where}: no {kind} is known of any order: order lines need {needs}."
    close = difflib.get_close_matches(wanted.casefold(), [name.casefold() for name in known], n=1)
    meant = next((f" Did you mean {name}?" for name in known if close and name.casefold() == close[0]), "")
    more = f" and {len(known) - MAX_NAMED:,} more" if len(known) > MAX_NAMED else ""
    return f"{where}: nobody bought {wanted!r}.{meant} There are: {', '.join(known[:MAX_NAMED])}{more}."
