"""What of personal data is shown."""

import pyarrow as pa

from flows.adapters.privacy.masking import masked


def rows(**columns):
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def test_addresses_are_masked_and_nothing_else_is():
    shown = masked(rows(customer_id=["C1", "C2"], email=["ada@example.com", None], segment=["a@b", "Loyal"]))
    assert shown.to_pydict() == {
        "customer_id": ["C1", "C2"], "email": ["a•••@example.com", None], "segment": ["a@b", "Loyal"],
    }  # fmt: skip


def test_ids_that_are_addresses_are_masked_and_stay_apart():
    ids = ["ann@example.com", "abe@example.com", "C3", "@example.com"]
    shown = masked(rows(customer_id=ids)).column("customer_id").to_pylist()
    assert len(set(shown)) == 4
    assert shown[2] == "C3"
    assert all(name.startswith("a•••@example.com ") for name in shown[:2])
    assert masked(rows(customer_id=ids)).column("customer_id").to_pylist() == shown
