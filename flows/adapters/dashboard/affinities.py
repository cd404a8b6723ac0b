"""What customers bought before they left or came back, and who buys at a discount, for the page."""

from typing import Any

from flows.ports.warehouse import Warehouse


def read_affinities(warehouse: Warehouse) -> dict[str, list[dict[str, Any]]]:
    """By measure, the rows of the last run that chance hardly explains, and every segment's discount; also a measure
    that has no such rows. Empty for a shop whose orders name neither products nor discounts."""
    rows = warehouse.read(
        """select measure, kind, name, customers, share, share_of_shop, coalesce(is_clear, true) as is_shown
        from marts.segment_affinities order by measure, position"""
    ).to_pylist()
    shown: dict[str, list[dict[str, Any]]] = {row["measure"]: [] for row in rows}
    for row in rows:
        if row.pop("is_shown"):
            shown[row.pop("measure")].append(row)
    return shown
