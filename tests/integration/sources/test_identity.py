"""Who is who in files that a spreadsheet has been through, and whose orders these are, before anything is built."""

import csv
import random
from datetime import UTC, date, datetime, timedelta

import pytest

from flows.errors import BadInput
from flows.flow.pipeline import read_history
from flows.settings import Settings
from flows.steps.building import FEATURES, build
from flows.wiring import wire

pytestmark = pytest.mark.whole_run

STARTED_AT = datetime(2025, 6, 1, tzinfo=UTC)


def orders(seed, first_id):
    """Rows of 300 orders of 60 customers with padded ids, one of them dated by mistake."""
    draw = random.Random(seed)
    for number in range(300):
        day = date(2024, 1, 1) + timedelta(days=number)
        if number == 100:
            day = date(2025, 5, 1)
        yield [f"#{1000 + number}", f"{first_id + draw.randrange(60):05}", day, draw.randrange(500, 9_000) / 100]


def write(file, header, rows):
    with file.open("w", newline="", encoding="utf-8") as text:
        csv.writer(text).writerows([header, *rows])
    return str(file)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A shop after its first run: its settings, and what it had read."""
    folder = tmp_path_factory.mktemp("identity")
    contacts = [[n, "yes" if n % 2 else "no"] for n in range(100, 160)]
    settings = Settings(
        data_dir=folder / "data",
        orders=write(folder / "orders.csv", ["Order", "Customer ID", "Date", "Total"], orders(1, 100)),
        contacts=write(folder / "contacts.csv", ["Customer ID", "Accepts Marketing"], contacts),
    )
    wiring = wire(settings)
    history = read_history(wiring, settings, STARTED_AT)
    build(wiring.dbt, "customers", FEATURES, history.mappings, history.run_values)
    return folder, settings, history


def test_contacts_without_leading_zeros_are_those_of_the_orders_and_say_yes_as_it_is_meant(shop, read):
    _, settings, history = shop
    assert history.receipt.contacts.without_contact == 0
    found = read(settings.data_dir, "select customer_id, opted_out from intermediate.int_customer_contacts").to_pylist()
    assert {row["customer_id"]: row["opted_out"] for row in found} == {
        row["customer_id"]: int(row["customer_id"]) % 2 == 0 for row in found
    }
    assert len(found[0]["customer_id"]) == 5


def test_one_wrong_date_moves_nothing_and_its_order_counts(shop):
    *_, history = shop
    assert history.as_of.date == date(2024, 10, 26)
    assert history.receipt.lines == 300


@pytest.mark.parametrize(("what", "limit"), [("contacts", "contacts"), ("orders", "other_shop"), ("cut", "cut_ids")])
def test_a_run_stops_before_it_builds_on_what_meets_nobody(shop, what, limit):
    folder, settings, _ = shop
    given = {
        "contacts": {"contacts": write(folder / "x.csv", ["Customer ID", "Newsletter"], [[n, 1] for n in range(50)])},
        "orders": {
            "orders": write(folder / "y.csv", ["Order", "Customer ID", "Date", "Total"], orders(2, 7_000)),
            "contacts": None,
        },
        "cut": {
            "orders": write(
                folder / "z.csv", ["Order", "Customer ID", "Date", "Total"],
                ([order, "7.41E+12", *rest] for order, _, *rest in orders(1, 100)),
            ),
            "contacts": None,
        },
    }[what]  # fmt: skip
    other = settings.model_copy(update=given)
    with pytest.raises(BadInput, match=rf"(?s)nothing was built on it:.*\b{limit}: .*ACCEPT="):
        read_history(wire(other), other, STARTED_AT)
