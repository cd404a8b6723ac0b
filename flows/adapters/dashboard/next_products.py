"""What the customers of the page are shown next, and why."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from flows.ports.warehouse import Warehouse

MAX_SHOWN = 3  # of each customer
Positions = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Shown:
    """Products by customer, the first of each first. `of`: the customer's position. `product` and `reason`: positions
    in `products` and `reasons`. `categories`: of each of the products; None where there is none, or they are some."""

    of: Positions
    product: Positions
    reason: Positions
    products: list[str]
    categories: list[str | None]
    reasons: list[str]

    def first(self, customers: int) -> dict[str, list[Any]]:
        """Those of the first customers, with the texts that they need; `count`: how many each has."""
        end = int(np.searchsorted(self.of, customers))
        products, product = np.unique(self.product[:end], return_inverse=True)
        reasons, reason = np.unique(self.reason[:end], return_inverse=True)
        return {
            "count": np.bincount(self.of[:end], minlength=customers).tolist(),
            "product": product.tolist(),
            "reason": reason.tolist(),
            "products": [self.products[position] for position in products],
            "categories": [self.categories[position] for position in products],
            "reasons": [self.reasons[position] for position in reasons],
        }


def read_shown(warehouse: Warehouse, wanted: str) -> Shown:
    """`wanted`: the `with` of a query that has customer_id and position of the customers."""
    # a customer who is on no list of products has none, and a shop whose orders name none has no rows
    rows = warehouse.read(
        f"""{wanted} select wanted.position, coalesce(shown.product, shown.category) as product,
            case when shown.product is not null then shown.category end as category, shown.reason
        from marts.next_products as shown inner join wanted on shown.customer_id = wanted.customer_id
        where shown.rank <= {MAX_SHOWN} order by wanted.position, shown.rank"""
    )
    product, reason = (
        rows.column(name).cast(pa.string()).combine_chunks().dictionary_encode() for name in ("product", "reason")
    )
    _, first_rows = np.unique(product.indices.to_numpy(), return_index=True)
    return Shown(
        of=rows.column("position").cast(pa.int64()).to_numpy(),
        product=product.indices.to_numpy(),
        reason=reason.indices.to_numpy(),
        products=product.dictionary.to_pylist(),
        categories=rows.column("category").take(pa.array(first_rows)).to_pylist(),
        reasons=reason.dictionary.to_pylist(),
    )
