"""What is known of products beyond their sales: names, categories, and which are sold no more."""

from datetime import date

from flows.adapters.marts.raw_columns import LINES, first_of, quoted, raw_columns, sources_of
from flows.baskets.next_products import Catalogue
from flows.ports.warehouse import Warehouse
from flows.sources.connections import Connections

LISTED, PRODUCTS = "staging.stg_shop__products_validated", "staging.stg_shop__products"  # a table, and a view of it


def read_catalogue(warehouse: Warehouse, connections: Connections, as_of: date) -> tuple[Catalogue, dict[str, str]]:
    """The catalogue, and the category of each product: that of the table of products, else the one that most of its
    order lines until then name. Without a table, the catalogue is empty."""
    categories = _of_order_lines(warehouse, connections, as_of)
    if not warehouse.exists(LISTED):  # before the first run that knows of such tables
        return Catalogue(), categories
    listed = warehouse.read(f"select sku, product_name, category, is_active from {PRODUCTS}").to_pylist()
    categories |= {row["sku"]: row["category"] for row in listed if row["category"]}
    return (
        Catalogue(
            names={row["sku"]: row["product_name"] for row in listed if row["product_name"]},
            inactive=frozenset(row["sku"] for row in listed if not row["is_active"]),
        ),
        categories,
    )


def _of_order_lines(warehouse: Warehouse, connections: Connections, as_of: date) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in sources_of(warehouse, LINES):
        header = first_of(
            raw_columns(warehouse, name, "order_lines"), connections.recognised_headers.traits["category"]
        )
        if header is None:
            continue
        category = f"nullif(trim(cast(landed.{quoted(header)} as varchar)), '')"
        of_source = warehouse.read(
            f"""select product, category from (
                select lines.sku as product, {category} as category,
                    row_number() over (partition by lines.sku order by count(*) desc, {category}) as place
                from {LINES} as lines
                inner join raw_{name}.order_lines as landed on landed._airbyte_raw_id = lines.order_line_key
                where lines.source_name = '{name}' and lines.rejection_reason is null and lines.sku is not null
                    and lines.ordered_on <= '{as_of}' and {category} is not null
                group by lines.sku, {category}
            ) as counted where place = 1"""
        )
        found = dict(zip(*(of_source[column].to_pylist() for column in ("product", "category")), strict=True)) | found
    return found
