"""People for destinations to send, as tests make them up."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from flows.ports.destination import CONTACT_SCHEMA

_USUAL = {
    "segment": "At risk", "risk_band": "high", "lifecycle": "slipping", "queue": "keep",
    "churn_probability": 0.81234567, "expected_spend": 61.239, "clv": 210.987, "expected_loss": 80.456,
    "win_back_value": 35.127,
    "reason": "Last order 96 days ago", "recommended_action": "Personal win-back",
    "next_product_1": "P014", "next_product_2": "P043", "next_product_3": None, "next_product_name_1": "Teapot",
    "next_product_name_2": None, "next_product_name_3": None, "next_category_1": "tea",
    "offer": "-20% on everything",
    "country": "Germany", "currency": "EUR",
}  # fmt: skip


def people(*rows: dict[str, Any]) -> pa.Table:
    """What a row leaves out is as usual; its address is that of its id."""
    return pa.Table.from_pylist(
        [_USUAL | {"email": f"{row['customer_id']}@example.org"} | row for row in rows], schema=CONTACT_SCHEMA
    )


def numbered(count: int, first: int = 1) -> pa.Table:
    """Customers c1, c2, … with their addresses."""
    return people(*({"customer_id": f"c{number}"} for number in range(first, first + count)))


_texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)
_odd_texts = st.sampled_from(
    ['a "quoted", text', "two\nlines", "\r\n", "=1+1", "-5", "@x", "é 漢 🙂", " ", "'", ";", ""]
)
_addresses = st.one_of(
    st.none(),
    st.sampled_from(["", " ", "nobody", "a@", "a b@example.org", "two@at@example.org"]),
    st.builds("{}@example.org".format, st.sampled_from(["ann", "Ann", "bob", "=cmd", "+tag", "zoë", " kim"])),
)


_figures = {"churn_probability": st.none() | st.floats(0, 1)} | {
    name: st.none() | st.floats(0, 1e6) for name in ("expected_spend", "clv", "expected_loss", "win_back_value")
}
_changes = st.fixed_dictionaries(
    {"email": _addresses},
    optional=_figures | {name: _texts | _odd_texts | st.none() for name in _USUAL if name not in _figures},
)


@st.composite
def anybody(draw: st.DrawFn) -> pa.Table:
    """Any people, with any texts, some of them with the same address, or none."""
    ids: Sequence[str] = draw(st.lists(_texts.filter(bool) | _odd_texts.filter(bool), unique=True, max_size=6))
    rows = [_USUAL | {"customer_id": customer_id} | draw(_changes) for customer_id in ids]
    return pa.Table.from_pylist(rows, schema=CONTACT_SCHEMA)
