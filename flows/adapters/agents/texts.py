"""Texts of the shop's data as an agent may get them: short, on one line, and with addresses masked."""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from flows.adapters.privacy.masking import masked, masked_text

MAX_TEXT = 300


@dataclass(frozen=True)
class Shown:
    """`pii`: the owner has set SHOW_PII, so that addresses are not masked."""

    pii: bool

    def rows(self, table: pa.Table) -> list[dict[str, Any]]:
        """The rows of a table."""
        rows = (table if self.pii else masked(table)).to_pylist()
        return [
            {name: self.text(value) if isinstance(value, str) else value for name, value in row.items()} for row in rows
        ]

    def text(self, value: str) -> str:
        """One line, of which the end may be cut off: a value is data, and needs no paragraphs."""
        plain = " ".join("".join(c if c.isprintable() else " " for c in value).split())
        short = plain if len(plain) <= MAX_TEXT else f"{plain[: MAX_TEXT - 1]}…"
        return short if self.pii else masked_text(short)

    def masked_ids(self, ids: pa.Table) -> list[tuple[str, str]]:
        """Each id as it is, and as it is shown."""
        shown = [row["customer_id"] for row in self.rows(ids)]
        return list(zip(ids.column("customer_id").to_pylist(), shown, strict=True))
