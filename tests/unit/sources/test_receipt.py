"""What was read is looked at before anything is built on it."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import duckdb
import pytest

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.adapters.marts.left_out import LeftOut, read_left_out
from flows.adapters.marts.receipt import RELATION, keep_receipt, read_receipt
from flows.console.receipt_summary import describe_left_out, describe_receipt, months_table
from flows.errors import BadInput, SettingsError
from flows.settings import Settings, read_settings
from flows.sources.receipt import Contacts, KnownProducts, Month, Products, Receipt, Rejection, Totals, breaches
from flows.steps.receipt import check_receipt

TOTALS = Totals(
    currency="EUR", lines=1_000, orders=500, customers=200, returning_customers=100, first_on=date(2024, 1, 1),
    last_on=date(2025, 3, 31), gross=50_000, refunds=2_000, refunds_of_nobody=0, median_order=80, largest_order=900,
    largest_order_id="17", most_orders=20, most_orders_customer="A", most_sales=2_500,
)  # fmt: skip
MONTHS = [Month("EUR", date(2024 + n // 12, n % 12 + 1, 1), 10, 100.0, 5.0) for n in range(15)]
GOOD = Receipt(totals=[TOTALS], months=MONTHS, rejections=[], contacts=Contacts(0, 0))


def rejection(reason, rows, **others):
    given = {"kind": "order_lines", "currency": "EUR", "amount": 12.0, "is_no_record": False, "example": "soon"}
    return Rejection(**{**given, "reason": reason, "rows": rows, "file": "a.csv", "line": 7, **others})


def found(receipt):
    return {breach.limit: breach.why for breach in breaches(receipt)}


def test_what_a_shop_has_passes():
    rejected = [rejection("unreadable date", 40), rejection("no customer", 300), rejection("duplicate line", 5_000)]
    assert not found(replace(GOOD, rejections=rejected))


@pytest.mark.parametrize(
    ("rejected", "limit", "message"),
    [
        (rejection("unreadable date", 60), "unreadable", "60 of 1,060 rows (6%)"),
        (rejection("unreadable date", 60), "unreadable", "for example 'soon' (a.csv line 7)"),
        (rejection("missing columns", 60, is_no_record=True), "unreadable", "missing columns"),
        (rejection("no customer", 5_000), "no_customer", "5,000 of 6,000 rows (83%) name no customer"),
        (
            rejection("customer id cut by a spreadsheet", 20, example="7.41E+12"),
            "cut_ids",
            "20 of 1,020 rows (2%) have a customer id of which a spreadsheet has left only the first digits,"
            " for example '7.41E+12'",
        ),
        (rejection("date in the future", 20), "misdated", "timestamp_format"),
    ],
)
def test_rows_that_are_misread_stop_the_run_with_an_example(rejected, limit, message):
    assert message in found(replace(GOOD, rejections=[rejected]))[limit]


@pytest.mark.parametrize(
    ("unlikely", "limit", "message"),
    [
        ({"most_orders": 151, "most_orders_customer": "eve@example.com"}, "largest_customer", "'e•••@example.com'"),
        ({"largest_order": 15_001}, "largest_order", "the order '17' alone is 30% of all sales"),
        ({"refunds": 25_001}, "refunds", "refunds are 50% of the sales"),
        ({"returning_customers": 0}, "one_order_each", "not one of 200 customers has ordered twice"),
    ],
)
def test_orders_that_no_shop_has_stop_the_run(unlikely, limit, message):
    breached = found(replace(GOOD, totals=[replace(TOTALS, **unlikely)]))
    assert list(breached) == [limit]
    assert message in breached[limit]
    few = replace(TOTALS, **{**unlikely, "orders": 99})
    assert not found(replace(GOOD, totals=[few]))


@pytest.mark.parametrize(
    ("contacts", "stops"),
    [
        (Contacts(600, 0, 600, 0), False),
        (Contacts(20_000, 19_000, 1_500, 500), False),  # a newsletter of many who have not ordered
        (Contacts(60, 20, 5_000, 4_960), False),  # those who have unsubscribed, no others
        (Contacts(600, 600, 600, 600, "a@x.de", "C-1"), True),
        (Contacts(600, 550, 600, 550, "a@x.de", "C-1"), True),
        (Contacts(1, 1, 5, 5, "a@x.de", "C-1"), True),
        (Contacts(0, 0, 600, 600), False),
    ],
)
def test_contacts_that_meet_hardly_any_customer_stop_the_run(contacts, stops):
    breached = found(replace(GOOD, contacts=contacts))
    assert list(breached) == (["contacts"] if stops else [])
    assert not stops or "Contacts name customers as 'a•••@x.de', orders as 'C-1'" in breached["contacts"]


def test_a_wholesaler_may_have_one_customer_with_most_of_the_orders():
    assert not found(replace(GOOD, totals=[replace(TOTALS, customers=25, most_orders=300)]))
    assert found(replace(GOOD, totals=[replace(TOTALS, customers=1, most_orders=500)]))


def test_lines_that_are_all_returns_stop_the_run():
    [breach] = breaches(replace(GOOD, totals=[replace(TOTALS, orders=0, customers=0, gross=0, lines=500)]))
    assert (breach.limit, breach.why[:26]) == ("refunds", "all 500 lines are returns,")


SALES = KnownProducts("EUR", 1_000, 50_000.0, 30, 500.0, 45, 200, 12_000.0, "P014")


def test_a_table_of_products_is_held_against_the_money_of_the_sales():
    few = replace(SALES, unknown_amount=46_000.0)
    assert not found(replace(GOOD, products=Products(90, 4, "A-1", [SALES])))
    stopped = found(replace(GOOD, products=Products(90, 4, "A-1", [few, replace(SALES, lines=5)])))
    assert list(stopped) == ["products"]
    assert "covers 7% of the sales" in stopped["products"]
    assert "writes a product as 'A-1', orders as 'P014'" in stopped["products"]
    no_skus = replace(SALES, lines_without_sku=1_000, amount_without_sku=50_000.0, unknown_amount=0.0, example=None)
    assert "orders name no product" in found(replace(GOOD, products=Products(90, 4, "A-1", [no_skus])))["products"]


def test_what_a_table_of_products_covers_is_shown_in_rows_and_money():
    lines = list(describe_receipt(replace(GOOD, products=Products(90, 4, "A-1", [SALES]))))
    assert lines[-2:] == [
        "90 products, 4 of them not active, which nobody is shown",
        "the table of products covers 75.0% of €50,000 sales; 200 rows (€12,000) are of 45 skus that it does not have,"
        " for example 'P014'; 30 rows (€500) name no sku",
    ]


def test_contacts_that_are_rejected_do_not_count_as_orders():
    assert not found(replace(GOOD, rejections=[rejection("contact: not an e-mail address", 900, kind="contacts")]))


def test_the_receipt_says_rows_and_money_and_hides_addresses():
    rejected = rejection("no customer", 30, example="ann@example.com")
    contacts = Contacts(90, 4, 200, 114, opted_out=8, consent_to_advertising=50, refuse_advertising=20)
    lines = list(describe_receipt(replace(GOOD, rejections=[rejected], contacts=contacts)))
    assert lines == [
        "500 orders of 200 customers in 1,000 rows, 2024-01-01 to 2025-03-31:"
        " €50,000 gross, €2,000 refunds, €48,000 net",
        "the median order is €80.00, the largest €900.00; the largest customer has 5% of the sales",
        "rejected 30 rows (€12): no customer, for example 'a•••@example.com' (a.csv line 7)",
        "90 contacts, 4 of them of nobody who has ordered; 114 customers have no contact",
        "consent to e-mails: given by 0, refused by 8, not known of 82, who may be written to",
        "consent to advertising: given by 50, refused by 20, not known of 20, which is no consent",
    ]


def test_the_months_are_those_of_a_year_and_what_was_before_in_one_row():
    columns, rows = months_table(GOOD)
    assert columns == ("month", "orders", "gross", "refunds", "net")
    assert rows[0] == ("before 2024-03", "20", "€200", "€10", "€190")
    assert [row[0] for row in rows[1:-1]] == [f"{2024 + n // 12}-{n % 12 + 1:02}" for n in range(2, 15)]
    assert rows[-1] == ("in all", "150", "€1,500", "€75", "€1,425")


def test_what_counts_for_nobody_is_said_in_numbers_and_money(tmp_path):
    with duckdb.connect(tmp_path / "warehouse.duckdb") as con:
        con.execute("""create schema intermediate; create schema marts;
            create table intermediate.int_returns as from (values
                ('1', 4.0, date '2024-01-01'), ('1', 2.5, null), ('2', 7.0, null))
                as returned (order_line_key, amount, purchased_on);
            create table intermediate.int_order_lines as from (values
                ('A', 10.0, false), ('B', 20.0, false), ('B', 5.0, false), ('B', 25.0, true), ('C', 8.0, true))
                as lines (customer_id, amount, is_return);
            create table marts.customer_rfm as select 'A' as customer_id""")
    left_out = read_left_out(DuckDBWarehouse(tmp_path / "warehouse.duckdb", tmp_path))
    assert left_out == LeftOut(2, 9.5, 1, 25.0)
    assert list(describe_left_out(left_out, "EUR")) == [
        "2 refunds found no sale for €10, which is taken from nobody (intermediate.int_returns without purchased_on)",
        "1 customer sent back all that they had bought (€25): they have no purchase, and no segment or score",
    ]
    assert not list(describe_left_out(LeftOut(0, 0, 0, 0), "EUR"))


LINES = [  # order, customer, day, amount, is_return, currency
    ("1", "A", "2024-01-30", "10.00", False, "EUR"),
    ("1", "A", "2024-01-30", "20.00", False, "EUR"),
    ("2", "A", "2024-02-01", "50.00", False, "EUR"),
    ("3", "B", "2024-02-02", "40.00", False, "EUR"),
    ("3", "B", "2024-03-02", "15.00", True, "EUR"),
    ("9", "C", "2024-03-03", "5.00", True, "EUR"),
    ("4", "D", "2024-03-04", "7.00", False, None),
]


@pytest.fixture
def warehouse(tmp_path):
    with duckdb.connect(tmp_path / "warehouse.duckdb") as con:
        con.execute("""create schema staging; create schema raw;
            create table staging.stg_shop__sold_and_returned (
                source_name varchar, order_id varchar, customer_id varchar,
                email varchar, ordered_on date, amount decimal(18, 2), is_return boolean, currency varchar,
                sku varchar);
            create table staging.stg_shop__products (sku varchar, is_active boolean);
            create table staging.stg_shop__contacts (customer_id varchar, email varchar,
                consents_to_email varchar, consents_to_advertising varchar);
            create table raw.rejected_rows (kind varchar, file varchar, line bigint, reason varchar, ordered_on date,
                amount decimal(18, 2), currency varchar, example varchar, _airbyte_raw_id varchar, content varchar);
            insert into staging.stg_shop__contacts values ('A', null, 'yes', 'no'),
                ('x', 'b@example.com', 'no', 'unknown'), ('Z', null, 'yes', 'yes')""")
        for order, customer, *values in LINES:
            email = f"{customer.lower()}@example.com"
            con.execute(
                "insert into staging.stg_shop__sold_and_returned values ('shop', ?, ?, ?, ?, ?, ?, ?, ?)",
                [order, customer, email, *values, {"2": None, "4": "P4"}.get(order, f"P{order}")],
            )
        con.execute("""insert into raw.rejected_rows values
            ('order_lines', 'a.csv', 9, 'unreadable date', null, 3, 'EUR', 'soon', '7', null),
            ('order_lines', 'a.csv', 5, 'unreadable date', null, 4, 'EUR', 'later', '3', null),
            ('order_lines', 'a.csv', 8, 'missing columns', null, null, null, 'x;y', null, 'x;y')""")
    return DuckDBWarehouse(tmp_path / "warehouse.duckdb", tmp_path)


def test_orders_customers_and_money_are_read_from_the_lines_that_are_used(warehouse):
    receipt = read_receipt(warehouse)
    euros, unknown = receipt.totals
    assert euros == Totals(
        currency="EUR", lines=6, orders=3, customers=2, returning_customers=1, first_on=date(2024, 1, 30),
        last_on=date(2024, 3, 3), gross=120, refunds=20, refunds_of_nobody=5, median_order=40, largest_order=50,
        largest_order_id="2", most_orders=2, most_orders_customer="A", most_sales=80,
    )  # fmt: skip
    assert (unknown.currency, unknown.orders, unknown.gross) == (None, 1, 7)
    assert [(of.month.month, of.orders, of.gross, of.net) for of in receipt.months if of.currency] == [
        (1, 1, 30, 30), (2, 2, 90, 90), (3, 0, 0, -20),
    ]  # fmt: skip
    assert receipt.rejections == [
        rejection("unreadable date", 2, amount=Decimal(7), example="later", line=5),
        rejection("missing columns", 1, amount=0, currency=None, is_no_record=True, example="x;y", line=8),
    ]
    assert receipt.contacts == Contacts(
        contacts=3,
        of_nobody=1,
        customers=4,
        without_contact=2,
        example_of_contacts="A",
        example_of_orders="A",
        consent_to_email=2,
        opted_out=1,
        consent_to_advertising=1,
        refuse_advertising=1,
    )


def test_the_coverage_of_a_table_of_products_is_read_by_currency(warehouse):
    assert read_receipt(warehouse).products is None
    with warehouse.connect() as con:
        con.execute("insert into staging.stg_shop__products values ('P1', true), ('P7', false)")
    of = read_receipt(warehouse).products
    assert (of.products, of.inactive, of.example) == (2, 1, "P1")
    euros, unknown = of.coverage
    assert euros == KnownProducts(
        currency="EUR", lines=4, amount=120, lines_without_sku=1, amount_without_sku=50, unknown_skus=1,
        unknown_lines=1, unknown_amount=40, example="P3",
    )  # fmt: skip
    assert euros.covered == 0.25
    assert (unknown.currency, unknown.unknown_skus, unknown.covered) == (None, 1, 0)


def test_every_run_keeps_its_months(warehouse):
    receipt = read_receipt(warehouse)
    for day in (1, 2, 2):
        keep_receipt(warehouse, receipt, datetime(2024, 4, day))  # noqa: DTZ001
    kept = warehouse.read(f"select count(*) as n, sum(net) as net from {RELATION} group by recorded_at").to_pylist()
    assert kept == [{"n": 4, "net": 107.0}] * 2


def test_a_run_stops_with_the_name_of_the_limit_and_goes_on_where_it_is_accepted(warehouse, tmp_path):
    with warehouse.connect() as con:
        con.execute("""insert into raw.rejected_rows
            select 'order_lines', 'a.csv', 10 + i, 'unreadable date', null, 1, 'EUR', 'soon', cast(i as varchar), null
            from range(200) as numbers (i)""")
    with pytest.raises(BadInput, match=r"unreadable: 203 of 210 rows(?s:.*)run again with ACCEPT=unreadable\."):
        check_receipt(warehouse, Settings(data_dir=tmp_path), datetime(2024, 4, 1))  # noqa: DTZ001
    assert not warehouse.exists(RELATION)
    check_receipt(warehouse, Settings(data_dir=tmp_path, accept="refunds, unreadable"), datetime(2024, 4, 1))  # noqa: DTZ001
    assert warehouse.exists(RELATION)


def test_a_limit_that_is_not_known_is_refused_with_those_that_are(monkeypatch):
    monkeypatch.setenv("ACCEPT", "everything")
    with pytest.raises(SettingsError, match="everything: there are unreadable, no_customer"):
        read_settings(Settings)
