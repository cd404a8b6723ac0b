"""Traits: what a shop knows of a customer beyond the figures that every shop has, by name: numbers and short texts.

They are stored with each target as JSON, because every shop has others. Names say where they come from:
`category.Shoes` and `product.P003` (share of the spend), `discounted_share`, `contacts.zip_code` (a column of a
contacts file)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]

TRAITS = "traits"
# A value of fewer customers tells one person from others rather than a group; a text with more values is a name, an
# address or a note.
MIN_CUSTOMERS_OF_A_VALUE, MAX_VALUES_OF_A_TEXT = 20, 200
_MAX_DIGITS_OF_A_NUMBER = 6  # more are a telephone number or an id
_MIN_SHARE_OF_NUMBERS = 0.95


def encode(columns: Mapping[str, Sequence[Any]], customers: int) -> pa.Array:
    """One JSON object for each customer, without what is unknown; NULL where nothing is known."""
    found: list[dict[str, Any]] = [{} for _ in range(customers)]
    for name, values in sorted(columns.items()):
        for of_customer, value in zip(found, values, strict=True):
            if value is not None and value == value:  # NaN is unknown
                of_customer[name] = round(value, 6) if isinstance(value, float) else value
    return pa.array([json.dumps(of, ensure_ascii=False) if of else None for of in found], pa.string())


def decode(column: pa.ChunkedArray) -> tuple[dict[str, Floats], dict[str, Texts]]:
    """Numbers and texts by name, each of all customers: NaN and None where unknown."""
    rows = [json.loads(text) if text else {} for text in column.to_pylist()]
    names = sorted({name for row in rows for name in row})
    numbers, texts = {}, {}
    for name in names:
        values = [row.get(name) for row in rows]
        if any(isinstance(value, str) for value in values):
            texts[name] = np.array([None if value is None else str(value) for value in values], dtype=object)
        else:
            numbers[name] = np.array([np.nan if value is None else float(value) for value in values])
    return numbers, texts


def of_texts(values: Sequence[str | None]) -> Sequence[Any] | None:
    """A column of a file as a trait: numbers, or texts that groups of customers share; None for what tells single
    persons apart."""
    known = [value for value in values if value is not None]
    parsed = [_number(value) for value in values]
    if known and sum(value is not None for value in parsed) >= _MIN_SHARE_OF_NUMBERS * len(known):
        long = any(value is not None and abs(value) >= 10**_MAX_DIGITS_OF_A_NUMBER for value in parsed)
        return None if long or len(set(parsed) - {None}) < 2 else parsed
    counts: dict[str, int] = {}
    for value in known:
        counts[value] = counts.get(value, 0) + 1
    shared = {value for value, customers in counts.items() if customers >= MIN_CUSTOMERS_OF_A_VALUE}
    if len(counts) > MAX_VALUES_OF_A_TEXT or not shared:
        return None
    return [value if value in shared else None for value in values]


def _number(text: str | None) -> float | None:
    try:
        value = float((text or "").replace(",", "."))
    except ValueError:
        return None
    return value if np.isfinite(value) else None
