"""Who a customer is and whether they may be written to: orders and contacts from files, in a whole run."""

import pyarrow as pa
import pytest

from flows.errors import BadInput
from flows.simulator.shop import ShopProfile, simulate
from tests.running.marts import write_orders

pytestmark = pytest.mark.whole_run

LAST_DAY = "2026-06-30"

# order id, customer, e-mail, day, amount: each far above what the simulated customers spend
ORDERS = [
    ("late-id", "anna@x.de", "2026-06-01"),
    ("early-id", "Anna@X.de ", "2025-06-01"),
    # a chain: this one is tied to the one before by a second address
    ("middle-id", "a.nna@y.de", "2025-12-01"),
    ("BEN@z.de", None, "2026-05-01"),
    ("ben@z.de", None, "2026-05-20"),
    ("says-no", "no@x.de", "2026-05-02"),
    ("of-two-minds", "two@x.de", "2026-05-03"),
    ("opts-out-without-address", None, "2026-05-03"),
    # tied by the addresses of contacts alone: one that names the customer, and one that names nobody
    ("by-contact", None, "2026-05-03"),
    # what is no address ties nobody
    ("placeholder-1", "n/a", "2026-05-03"),
    ("placeholder-2", "n/a", "2026-05-03"),
    # the id of a whole house, of which one has an account too
    *(("of-a-house", f"guest{n}@x.de", "2026-05-04") for n in range(6)),
    ("has-an-account", "guest0@x.de", "2026-05-04"),
    ("of-contact", "contact@x.de", "2026-05-04"),
    ("of-its-email", "its@x.de", "2026-05-05"),
    *((f"till-{n}", "till@shop.de", "2026-05-06") for n in range(6)),
]
CONTACTS = """Record ID,Email,Additional email addresses,Customer ID,Unsubscribed from all email,Opt out date,Name
1,anna@x.de,a.nna@y.de;anna@z.de,,false,,Anna
2,NO@x.de,,,TRUE,2026-05-20,Nora
3,two@x.de,,,false,,Two
4,,,of-two-minds,true,,Minds
5,its@x.de,,of-contact,no,,Con
6,till@shop.de,,,true,2026-06-02,Till
7,,,,false,,Nobody
8,prospect@x.de,,,false,,Prospect
9,not an address,,,false,,Broken
10,-,,opts-out-without-address,yes,,Dash
11,by@x.de,,by-contact,false,,By
12,by@x.de,,,true,,By again
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory, run_pipeline):
    folder = tmp_path_factory.mktemp("contacts")
    lines = simulate(ShopProfile(customers=60, seed=1)).order_lines
    lines = lines.append_column("email", pa.nulls(lines.num_rows, pa.string()))
    extra = [
        {"order_id": f"X{n}", "order_line_id": 900_000 + n, "customer_id": customer, "email": email,
         "ordered_at": f"{day} 12:00:00", "sku": "TEAPOT", "quantity": 1, "unit_price": 5_000, "discount": 0,
         "amount": 5_000, "currency": "EUR", "country": "Germany", "channel": "web", "category": None}
        for n, (customer, email, day) in enumerate(ORDERS)
    ]  # fmt: skip
    more = pa.Table.from_pylist(extra)
    more = more.select(lines.column_names).cast(lines.schema, safe=False)
    (folder / "contacts.csv").write_text(CONTACTS)
    settings = {
        "orders": write_orders(folder / "orders.csv", pa.concat_tables([lines, more])),
        "contacts": str(folder / "contacts.csv"), "horizon_days": 90,
    }  # fmt: skip
    return folder / "data", settings, run_pipeline(folder / "data", **settings)


@pytest.fixture
def customers(run, read):
    data_dir, *_ = run
    rows = read(data_dir, "select * from marts.marketing_customers").to_pylist()
    return {row["customer_id"]: row for row in rows}


def test_ids_that_share_an_address_are_one_person_who_goes_by_the_first_of_them(customers):
    assert customers["early-id"]["monetary"] == 15_000
    assert not {"late-id", "middle-id"} & set(customers)


def test_an_id_that_is_an_address_is_the_same_in_capitals(customers):
    assert customers["ben@z.de"]["frequency"] == 2


def test_an_address_of_more_than_five_makes_nobody_one_and_is_reported(run, read, customers):
    assert {f"till-{n}" for n in range(6)} <= set(customers)
    conflicts = read(run[0], "from intermediate.int_identity_conflicts").to_pylist()
    assert {(row["identifier"], row["customers"]) for row in conflicts if "of many customers" in row["conflict"]} >= {
        ("till@shop.de", 6)
    }


def test_placeholders_and_the_id_of_a_whole_house_make_nobody_one(customers):
    assert {"placeholder-1", "placeholder-2", "of-a-house", "has-an-account"} <= set(customers)
    assert customers["placeholder-1"]["email"] is None
    assert customers["has-an-account"]["frequency"] == 1


def test_a_contact_that_names_one_customer_and_has_the_address_of_another_joins_them_and_is_reported(run, customers):
    assert customers["of-contact"]["monetary"] == 10_000
    assert "of-its-email" not in customers
    assert any("names one customer, and has the e-mail address of another" in line for line in run[2].identity_notes)


def test_who_opted_out_with_any_contact_or_shares_an_address_with_one_who_did_is_on_no_list(run, customers):
    out = {name for name, row in customers.items() if row["opted_out"]}
    assert out == {
        "says-no", "of-two-minds", "opts-out-without-address", "by-contact", *(f"till-{n}" for n in range(6))
    }  # fmt: skip
    assert all(row["may_be_contacted"] == (name not in out) for name, row in customers.items())
    data_dir, _, report = run
    # those who opted out have the most at stake of all
    listed = {row["customer_id"] for row in report.most_at_stake.to_pylist()}
    assert listed
    assert not listed & out
    assert not any(f">{name}<" in (data_dir / "dashboard.html").read_text() for name in out)
    assert any("some have opted out and some have not" in line for line in report.identity_notes)


def test_consent_is_a_feature_of_those_whose_contact_is_known(run, read):
    found = read(run[0], "select customer_id, has_opted_out, emails_opened_last_90_days from marts.customer_features")
    known = {row["customer_id"]: row["has_opted_out"] for row in found.to_pylist() if row["has_opted_out"] is not None}
    assert known["early-id"] == 0
    assert known["says-no"] == 1
    assert found.column("emails_opened_last_90_days").null_count == found.num_rows  # no events are known


def test_contacts_that_cannot_be_used_are_counted_with_their_line(run, read):
    rejected = read(run[0], "select file, line, reason from raw.rejected_rows where reason like 'contact:%' order by 2")
    assert rejected.to_pylist() == [
        {"file": "contacts.csv", "line": 8, "reason": "contact: neither customer nor e-mail"},
        {"file": "contacts.csv", "line": 10, "reason": "contact: not an e-mail address"},
    ]


def test_contacts_that_cannot_be_distinguished_are_refused_with_what_to_write(tmp_path, run_pipeline, run):
    bare = tmp_path / "contacts.csv"
    bare.write_text("name,city\nAnna,Bern\n")
    with pytest.raises(BadInput, match=r"(?s)no column was recognised as email or customer_id.*name, city"):
        run_pipeline(tmp_path / "data", **run[1] | {"contacts": str(bare)})
