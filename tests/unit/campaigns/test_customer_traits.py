"""Traits are read from what the shop has: raw columns of its files included, whatever they are called."""

import json
from datetime import date

import duckdb
import pyarrow as pa
import pytest

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.adapters.marts.customer_traits import read_languages, with_language, with_traits
from flows.sources.connections import read_connections
from flows.wiring import CONNECTIONS

AS_OF = date(2026, 3, 31)
CUSTOMERS = pa.table({"customer_id": [f"C{n:02d}" for n in range(40)]})
TABLES = """
create schema marts; create schema staging; create schema intermediate; create schema raw_orders_csv;
create schema raw_contacts_csv;
create table marts.marketing_customers as select 'C' || lpad(n::varchar, 2, '0') as customer_id, 'active' as lifecycle
    from range(40) as all_of(n);
create table marts.customer_features as select customer_id, .1 as returned_share, 2.0 as lines_per_purchase,
    3 as emails_opened_last_90_days, null::int as emails_clicked_last_90_days, 7 as days_since_last_email_open
    from marts.marketing_customers;
create table intermediate.int_customer_identities as select 'old' as given_customer_id, 'C01' as customer_id;
create table intermediate.int_identity_links as
    select 'contact' as kind, 'k' || customer_id as link, customer_id from marts.marketing_customers;
create table staging.stg_shop__contacts_validated as select 'contacts_csv' as source_name, link as contact_key,
    null::varchar as rejection_reason from intermediate.int_identity_links;
create table raw_contacts_csv.contacts as select link as _airbyte_raw_id, customer_id as "Customer ID",
    'name of ' || customer_id as "Full name", case when customer_id < 'C20' then 'Urban' else 'Rural' end as "Zip Code",
    '4' || right(customer_id, 1) as "Age" from intermediate.int_identity_links;
create table staging.stg_shop__order_lines_validated (source_name varchar, order_line_key varchar, customer_id varchar,
    sku varchar, amount decimal(18, 2), ordered_on date, is_return boolean, rejection_reason varchar);
create table raw_orders_csv.order_lines (_airbyte_raw_id varchar, "Product Category" varchar, "Discount" varchar);
insert into staging.stg_shop__order_lines_validated values
    ('orders_csv', '1', 'C00', 'boots', 30, '2026-01-01', false, null),
    ('orders_csv', '2', 'C00', 'hat', 10, '2026-01-01', false, null),
    ('orders_csv', '3', 'old', 'hat', 10, '2026-01-01', false, null),
    ('orders_csv', '4', 'C00', 'hat', 99, '2026-04-01', false, null),
    ('orders_csv', '5', 'C00', 'hat', 99, '2026-01-01', true, null),
    ('orders_csv', '6', 'C00', 'hat', 99, '2026-01-01', false, 'duplicate line');
insert into raw_orders_csv.order_lines values
    ('1', 'Shoes', '0,00'), ('2', 'Hats ''n'' caps', '2.50'), ('3', 'Hats ''n'' caps', null), ('4', 'Shoes', '1'),
    ('5', 'Shoes', '1'), ('6', 'Shoes', '1');
"""


@pytest.fixture
def warehouse(tmp_path):
    with duckdb.connect(tmp_path / "warehouse.duckdb") as con:
        con.execute(TABLES)
    return DuckDBWarehouse(tmp_path / "warehouse.duckdb", tmp_path / "tmp")


def traits(warehouse, without=""):
    if without:
        warehouse.change("taking something away", [without])
    found = with_traits(warehouse, read_connections(CONNECTIONS), CUSTOMERS, AS_OF)
    return dict(zip(CUSTOMERS["customer_id"].to_pylist(), map(json.loads, found["traits"].to_pylist()), strict=True))


def test_shares_of_categories_and_of_discounts_are_those_of_what_counts_and_was_known(warehouse):
    found = traits(warehouse)
    assert found["C00"]["category.Shoes"] == 0.75
    assert found["C00"]["category.Hats 'n' caps"] == 0.25
    assert found["C00"]["categories_bought"] == 2
    assert found["C00"]["discounted_share"] == 0.25
    assert found["C01"]["category.Hats 'n' caps"] == 1  # bought under an id that has been merged
    assert "category.Shoes" not in found["C02"]


def test_without_a_category_the_products_stand_for_it(warehouse):
    found = traits(warehouse, 'alter table raw_orders_csv.order_lines drop column "Product Category"')
    assert found["C00"]["product.boots"] == 0.75
    assert found["C00"]["discounted_share"] == 0.25


def test_features_and_lifecycle_are_traits_and_what_is_unknown_is_none(warehouse):
    assert traits(warehouse)["C05"] == {
        "contacts.age": 45.0, "contacts.zip_code": "Urban", "days_since_last_email_open": 7.0,
        "emails_opened_last_90_days": 3.0, "lifecycle": "active", "lines_per_purchase": 2.0, "returned_share": 0.1,
    }  # fmt: skip


def test_any_column_of_a_contacts_file_is_a_trait_but_for_what_names_a_person(warehouse):
    found = traits(warehouse)
    assert {of["contacts.zip_code"] for of in found.values()} == {"Urban", "Rural"}
    assert not any("name" in name or "customer_id" in name for of in found.values() for name in of)


def test_a_shop_without_contacts_has_the_other_traits(warehouse):
    assert traits(warehouse, "drop table intermediate.int_identity_links")["C00"]["category.Shoes"] == 0.75


def test_the_language_of_customers_is_that_of_their_contacts(warehouse):
    connections = read_connections(CONNECTIONS)
    assert read_languages(warehouse, connections).num_rows == 0  # no contacts file has it
    warehouse.change(
        "adding a language",
        [
            'alter table raw_contacts_csv.contacts add column "Preferred Language" varchar',
            """update raw_contacts_csv.contacts set "Preferred Language" =
                case when "Customer ID" < 'C03' then 'fr' when "Customer ID" < 'C30' then 'de' end""",
        ],
    )
    languages = read_languages(warehouse, connections)
    assert languages.num_rows == 30
    found = with_language(languages, CUSTOMERS)["language"].to_pylist()
    assert found == ["fr"] * 3 + ["de"] * 27 + [None] * 10
