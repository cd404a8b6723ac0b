"""What of personal data is shown."""

import hashlib

import pyarrow as pa

from flows.adapters.privacy.masking import masked
from flows.adapters.privacy.personal_export import only_theirs, part_of_file


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


def test_an_export_masks_every_address_but_the_persons_own():
    show = only_theirs({"C1", "ann@example.com", "o'brien@x.de"})
    assert show("Ann@Example.com, o'brien@x.de; joann@example.com <ann@example.company>") == (
        "Ann@Example.com, o'brien@x.de; j•••@example.com <a•••@example.company>"
    )
    assert show({"to": ["mail=ann@example.com", "bob@x.de"], "n": 1}) == {
        "to": ["mail=ann@example.com", "b•••@x.de"], "n": 1,
    }  # fmt: skip


def test_an_export_finds_a_person_in_files_by_id_address_hash_and_masked_id():
    names = {"ann@example.com", "-C1"}
    hashed = hashlib.sha256(b"ann@example.com").hexdigest()
    masked_id = masked(rows(customer_id=["ann@example.com"])).column("customer_id")[0].as_py()
    found = {
        "meta.csv": f"email,country\n{hashed},de\n{'0' * 64},fr\n",
        "brevo.csv": "EMAIL;EXT_ID\nAnn@example.com;7\nbob@x.de;8\n",
        "csv.csv": "\ufeffcustomer_id,email\n'-C1,\nC10,\n",
        "list.csv": f"customer_id,segment\n{masked_id},Loyal\na•••@example.com 000000,Lost\n",
        "result.jsonl": '{"customer_id":"-C1","churn":0.5}\n{"customer_id":"C2"}\nno json\n',
    }
    for place, text in found.items():
        part = part_of_file(place, text.encode(), names)
        assert part is not None, place
        assert len(part.rows) == 1, place
    assert part_of_file("list.csv", b"customer_id\nC1\n", names) is None
