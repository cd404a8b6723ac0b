"""What marts.next_products is made of, and what becomes of it from run to run."""

import json
from datetime import UTC, date, datetime, timedelta

import duckdb
import pyarrow as pa
import pytest

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.adapters.marts.buyers import read_buyers, with_bought
from flows.adapters.marts.next_products import first_of_each, read_bought, read_reachable
from flows.adapters.marts.staged_orders import AsOf
from flows.adapters.models.registry import ModelRegistry
from flows.campaigns.definition import Bought
from flows.errors import BadInput
from flows.sources.connections import read_connections
from flows.steps.next_products import show_next_products
from flows.wiring import CONNECTIONS, Wiring

AS_OF = AsOf(date(2025, 6, 30), "EUR", None, 90, "", 0)
AT = datetime(2025, 7, 1, 6, tzinfo=UTC)
TABLES = """
create schema marts; create schema staging; create schema intermediate; create schema raw_orders_csv;
create table marts.next_products (customer_id varchar, as_of_date date, "rank" integer, product varchar,
    product_name varchar, category varchar, reason varchar, score double, method varchar, recall_at_5 double,
    recall_at_5_of_popularity double, tested_on date, scored_at timestamp);
create table marts.segment_affinities (as_of_date date, measure varchar, kind varchar, name varchar, customers bigint,
    share double, share_of_shop double, is_clear boolean, "position" integer, scored_at timestamp);
create table staging.stg_shop__products (sku varchar, product_name varchar, category varchar, is_active boolean);
create view staging.stg_shop__products_validated as from staging.stg_shop__products;
create table intermediate.int_customer_identities (given_customer_id varchar, customer_id varchar);
create table intermediate.int_order_lines as
    select 'C' || lpad((n % 40)::varchar, 2, '0') as customer_id, 'P' || (n % 7) as sku,
        date '2025-06-29' - (n % 11)::int * 20 as ordered_on, 10.0::decimal(18, 2) as amount, false as is_return,
        n::varchar as line
    from range(400) as lines(n);
create table marts.marketing_customers as
    select distinct customer_id, nullif(customer_id = 'C01', false) as opted_out,
        case when customer_id < 'C35' then 'gone' else 'active' end as lifecycle,
        case when customer_id < 'C10' then 'Lost' else 'Loyal' end as segment from intermediate.int_order_lines;
create table staging.stg_shop__order_lines_validated as select 'orders_csv' as source_name, line as order_line_key, sku,
    customer_id, amount, is_return, ordered_on,
    null::varchar as rejection_reason from intermediate.int_order_lines;
create table raw_orders_csv.order_lines as select line as _airbyte_raw_id, line as "Order",
    case when customer_id < 'C10' or line::int % 2 = 0 then '1,50' else '0' end as "Discount",
    case when sku = 'P1' and line::int > 50 then ' Tea ' when sku = 'P2' then '' else 'Pots' end as "Product Type"
    from intermediate.int_order_lines;
"""


@pytest.fixture
def wiring(tmp_path):
    with duckdb.connect(tmp_path / "warehouse.duckdb") as con:
        con.execute(TABLES)
    warehouse = DuckDBWarehouse(tmp_path / "warehouse.duckdb", tmp_path / "tmp")
    models = ModelRegistry(str(tmp_path / "models"), tmp_path / "cache")
    return Wiring(read_connections(CONNECTIONS), warehouse, None, models, None)  # no dbt


def rows(wiring):
    return wiring.warehouse.read('select * from marts.next_products order by customer_id, "rank"')


def bought(wiring):
    return read_bought(wiring.warehouse, wiring.connections, AS_OF.date, AS_OF.horizon_days)


def test_everyone_who_has_not_opted_out_is_shown_products_with_their_category(wiring):
    shown = show_next_products(wiring, "shop", AS_OF, AT)
    found = rows(wiring)
    assert shown.customers == shown.reachable == 39
    assert len(set(found["customer_id"].to_pylist())) == 39
    assert "C01" not in found["customer_id"].to_pylist()
    categories = dict(zip(found["product"].to_pylist(), found["category"].to_pylist(), strict=True))
    assert categories["P1"] == "Tea"  # as most of its lines have it
    assert categories["P2"] is None
    assert set(found["as_of_date"].to_pylist()) == {AS_OF.date}


def test_a_run_replaces_the_rows_of_the_run_before(wiring):
    show_next_products(wiring, "shop", AS_OF, AT)
    wiring.warehouse.change("buying no more", ["delete from intermediate.int_order_lines where customer_id > 'C20'"])
    later = AT + timedelta(days=1)
    show_next_products(wiring, "shop", AS_OF, later)
    assert max(rows(wiring)["customer_id"].to_pylist()) == "C20"
    assert set(rows(wiring)["scored_at"].to_pylist()) == {later.replace(tzinfo=None)}


def test_a_card_next_to_the_models_says_how_good_the_ranking_of_the_last_run_is(wiring, tmp_path):
    show_next_products(wiring, "shop", AS_OF, AT)
    shown = show_next_products(wiring, "shop", AS_OF, AT + timedelta(days=1))
    card = json.loads((tmp_path / "models" / "next_products_card.json").read_text())
    assert (card["shop"], card["as_of_date"], card["ranks"], card["known"]) == ("shop", "2025-06-30", "products", 7)
    assert card["method"]["name"] == shown.chosen.method.name
    assert (card["tested_on"], card["quality"]["customers"]) == ("2025-04-01", 40)
    assert card["quality"]["recall_at_5"] == pytest.approx(shown.chosen.quality.recall_at_5, abs=1e-5)
    assert set(card["beside"]) == {"popularity", "personal frequency"}
    assert {"recall_at_5", "recall_at_10", "ndcg_at_10"} <= set(card["beside"]["popularity"])
    assert set(card["choice"]["ndcg_at_10"]) <= set(card["choice"]["candidates"])
    assert wiring.own_models.versions() == []  # it is no version of the churn model


def test_where_nothing_can_be_tested_yet_the_card_has_no_quality(wiring, tmp_path):
    wiring.warehouse.change("beginning lately", ["update intermediate.int_order_lines set ordered_on = '2025-06-29'"])
    show_next_products(wiring, "shop", AS_OF, AT)
    card = json.loads((tmp_path / "models" / "next_products_card.json").read_text())
    assert (card["quality"], card["tested_on"], card["beside"]) == (None, None, {})


def test_orders_without_products_leave_no_rows_and_say_nothing(wiring):
    show_next_products(wiring, "shop", AS_OF, AT)
    wiring.warehouse.change("naming no products", ["update intermediate.int_order_lines set sku = null"])
    assert show_next_products(wiring, "shop", AS_OF, AT + timedelta(days=1)) is None
    assert len(rows(wiring)) == 0


def test_what_was_sent_back_in_whole_was_not_bought(wiring):
    before = len(bought(wiring).purchases)
    pairs = "customer_id = 'C03' and sku = 'P3'"
    sent_back = f"""insert into intermediate.int_order_lines
        select customer_id, sku, max(ordered_on) + 5, sum(amount), true, 'back' from intermediate.int_order_lines
        where {pairs} group by customer_id, sku"""
    wiring.warehouse.change("sending back", [sent_back])
    [lines] = wiring.warehouse.row(
        f"select count(distinct ordered_on) from intermediate.int_order_lines where {pairs} and not is_return"
    )
    assert lines > 0
    assert len(bought(wiring).purchases) == before - lines


def test_where_products_change_too_fast_their_categories_are_ranked(wiring):
    wiring.warehouse.change(
        "making each piece one of its kind",
        [
            "update intermediate.int_order_lines set sku = 'P' || line",
            "update staging.stg_shop__order_lines_validated set sku = 'P' || order_line_key",
        ],
    )
    assert show_next_products(wiring, "shop", AS_OF, AT).by_category
    assert set(rows(wiring)["product"].to_pylist()) == {None}
    assert set(rows(wiring)["category"].to_pylist()) <= {"Tea", "Pots"}
    wiring.warehouse.change(
        "naming no categories", ['alter table raw_orders_csv.order_lines drop column "Product Type"']
    )
    assert not bought(wiring).by_category


def test_who_is_in_a_campaign_is_shown_products_too(wiring):
    assert len(read_reachable(wiring.warehouse)) == 39
    assert pa.types.is_string(read_reachable(wiring.warehouse).type)


def test_destinations_get_the_first_three_products_and_the_first_category(wiring):
    show_next_products(wiring, "shop", AS_OF, AT)
    [first] = wiring.warehouse.read(
        f"select * from ({first_of_each(wiring.warehouse)}) as shown where customer_id = 'C05'"
    ).to_pylist()
    of_mart = [row for row in rows(wiring).to_pylist() if row["customer_id"] == "C05"]
    assert [first[f"next_product_{n}"] for n in (1, 2, 3)] == [row["product"] for row in of_mart[:3]]
    assert first["next_category_1"] == of_mart[0]["category"]


def test_before_the_first_such_run_destinations_get_no_products(wiring):
    wiring.warehouse.change("as before", ["drop table marts.next_products"])
    assert len(wiring.warehouse.read(first_of_each(wiring.warehouse))) == 0


def audience(wiring, **bought):
    return set(read_buyers(wiring.warehouse, wiring.connections, Bought(**bought), AS_OF.date).to_pylist())


def test_an_audience_is_who_bought_a_product_or_anything_of_a_category(wiring):
    of_p2 = wiring.warehouse.read("select distinct customer_id from intermediate.int_order_lines where sku = 'P2'")
    assert audience(wiring, product="P2") == set(of_p2["customer_id"].to_pylist())
    of_tea = wiring.warehouse.read("select distinct customer_id from intermediate.int_order_lines where sku = 'P1'")
    assert audience(wiring, category="Tea") == set(of_tea["customer_id"].to_pylist())
    candidates = pa.table({"customer_id": ["C02", "nobody"]})
    assert with_bought(pa.array(["C02"]), candidates)["has_bought"].to_pylist() == [True, False]


def test_what_nobody_bought_is_refused_with_what_there_is(wiring):
    with pytest.raises(BadInput, match=r"category: nobody bought 'tee'\. Did you mean Tea\? There are: Pots, Tea\."):
        audience(wiring, category="tee")
    with pytest.raises(BadInput, match=r"product: nobody bought 'P9'\. There are: P0, P1"):
        audience(wiring, product="P9")
    wiring.warehouse.change(
        "naming no categories", ['alter table raw_orders_csv.order_lines drop column "Product Type"']
    )
    with pytest.raises(BadInput, match="no category is known of any order"):
        audience(wiring, category="Tea")


def test_affinities_compare_each_with_the_shop_and_are_those_of_the_last_run(wiring):
    show_next_products(wiring, "shop", AS_OF, AT)
    show_next_products(wiring, "shop", AS_OF, AT + timedelta(days=1))
    found = wiring.warehouse.read("select * from marts.segment_affinities order by measure, position").to_pylist()
    discounts = {row["name"]: row for row in found if row["measure"] == "bought_at_a_discount"}
    assert (discounts["Lost"]["share"], discounts["Lost"]["customers"], discounts["Lost"]["position"]) == (1.0, 10, 1)
    assert discounts["Loyal"]["share"] == 0.5
    assert discounts["Loyal"]["share_of_shop"] == 0.625
    leavers = [row for row in found if row["measure"] == "last_bought_by_leavers"]
    assert {row["kind"] for row in leavers} == {"category"}
    assert len({(row["measure"], row["name"]) for row in found}) == len(found)


TABLE_OF_PRODUCTS = """insert into staging.stg_shop__products values ('P0', 'Cup', 'Cups', true),
    ('P2', 'Oolong', 'Tea', true), ('P3', null, null, true), ('P4', 'Lamp', null, false)"""


def test_the_table_of_products_names_them_and_says_the_category_before_order_lines_do(wiring):
    show_next_products(wiring, "shop", AS_OF, AT)
    assert set(rows(wiring)["product_name"].to_pylist()) == {None}
    wiring.warehouse.change("listing products", [TABLE_OF_PRODUCTS])
    show_next_products(wiring, "shop", AS_OF, AT + timedelta(days=1))
    found = {row["product"]: (row["product_name"], row["category"]) for row in rows(wiring).to_pylist()}
    assert found["P0"] == ("Cup", "Cups")
    assert found["P2"] == ("Oolong", "Tea")
    assert found["P3"] == (None, "Pots")
    assert audience(wiring, category="Cups")


def test_what_the_table_of_products_has_as_not_active_is_shown_to_nobody(wiring):
    show_next_products(wiring, "shop", AS_OF, AT)
    assert "P4" in rows(wiring)["product"].to_pylist()
    wiring.warehouse.change("listing products", [TABLE_OF_PRODUCTS])
    shown = show_next_products(wiring, "shop", AS_OF, AT + timedelta(days=1))
    assert shown.customers == 39
    assert "P4" not in rows(wiring)["product"].to_pylist()


def test_destinations_get_the_names_of_the_first_three_products(wiring):
    wiring.warehouse.change("listing products", [TABLE_OF_PRODUCTS])
    show_next_products(wiring, "shop", AS_OF, AT)
    shown = wiring.warehouse.read(first_of_each(wiring.warehouse)).to_pylist()
    names = {"P0": "Cup", "P2": "Oolong"}
    for row in shown:
        for n in (1, 2, 3):
            assert row[f"next_product_name_{n}"] == names.get(row[f"next_product_{n}"])
    assert "Cup" in {row["next_product_name_1"] for row in shown}


def test_where_all_products_of_a_category_are_inactive_the_category_is_not_shown(wiring):
    wiring.warehouse.change(
        "making each piece one of its kind, and teas inactive",
        [
            "update intermediate.int_order_lines set sku = 'P' || line",
            "update staging.stg_shop__order_lines_validated set sku = 'P' || order_line_key",
            """insert into staging.stg_shop__products
            select distinct lines.sku, 'Piece', 'Tea', false from staging.stg_shop__order_lines_validated as lines
            inner join raw_orders_csv.order_lines as landed on landed._airbyte_raw_id = lines.order_line_key
            where trim("Product Type") = 'Tea'""",
        ],
    )
    assert show_next_products(wiring, "shop", AS_OF, AT).by_category
    assert set(rows(wiring)["category"].to_pylist()) == {"Pots"}
    assert set(rows(wiring)["product_name"].to_pylist()) == {None}


def test_a_category_is_as_it_was_named_by_the_day(wiring):
    renamed = [
        "update raw_orders_csv.order_lines set \"Product Type\" = 'Cups'",
        "update staging.stg_shop__order_lines_validated set ordered_on = date '2025-07-01'",
    ]
    wiring.warehouse.change("renaming later", renamed)
    assert bought(wiring).categories == {}
