"""What the customers of the page are shown next, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from flows.ports.warehouse import Warehouse

MAX_SHOWN = 3  # of each customer
_TEXTS = ("product", "category", "reason")


@dataclass(frozen=True)
class Shown:
    """Products by customer, the first of each first. `of`: the customer's position; `texts`: by column, positions in a
    list of texts, and the list."""

    of: np.ndarray[Any, Any]
    texts: Mapping[str, tuple[np.ndarray[Any, Any], list[str | None]]]

    def first(self, customers: int) -> dict[str, list[Any]]:
        """Those of the first customers, with the texts that they need; `count`: how many each has."""
        end = int(np.searchsorted(self.of, customers))
        columns: dict[str, list[Any]] = {"count": np.bincount(self.of[:end], minlength=customers).tolist()}
        for name, (positions, texts) in self.texts.items():
            used, columns[name] = _renumbered(positions[:end])
            columns[f"{name}_texts"] = [texts[position] for position in used]
        return columns


def read_shown(warehouse: Warehouse, wanted: str) -> Shown:
    """`wanted`: the `with` of a query that has customer_id and position of the customers."""
    # a customer who is on no list of products has none, and a shop whose orders name none has no rows
    rows = warehouse.read(
        f"""{wanted} select wanted.position, coalesce(shown.product, shown.category) as product,
            case when shown.product is not null then shown.category end as category, shown.reason
        from marts.next_products as shown inner join wanted on shown.customer_id = wanted.customer_id
        where shown.rank <= {MAX_SHOWN} order by wanted.position, shown.rank"""
    )
    texts = {}
    for name in _TEXTS:
        encoded = rows.column(name).cast(pa.string()).combine_chunks().dictionary_encode(null_encoding="encode")
        texts[name] = encoded.indices.to_numpy(), encoded.dictionary.to_pylist()
    return Shown(rows.column("position").cast(pa.int64()).to_numpy(), texts)


def _renumbered(positions: np.ndarray[Any, Any]) -> tuple[list[int], list[int]]:
    used, renumbered = np.unique(positions, return_inverse=True)
    return used.tolist(), renumbered.tolist()
