"""What a run stops at when it looks at what was read, by the names that ACCEPT= gives."""

from typing import Literal

LimitName = Literal[
    "unreadable", "no_customer", "misdated", "largest_customer", "largest_order", "refunds", "one_order_each",
    "cut_ids", "contacts", "products", "other_shop",
]  # fmt: skip
