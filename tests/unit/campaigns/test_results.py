"""What is written down of campaigns that have ended, and which of them the next one learns from."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.adapters.marts.campaign_results import read_effects, read_history, read_results, store_results
from flows.adapters.marts.staged_orders import AsOf
from flows.settings import Settings
from flows.steps.measurement import measure_campaigns
from tests.examples.candidates import campaign

LAUNCHED_ON, ENDED_ON = date(2026, 2, 28), date(2026, 3, 31)
DEFINITION = campaign(offer={"text": "5 off", "kind": "amount_off", "value": 5.0}).model_dump_json()


@pytest.fixture
def shop(tmp_path):
    """A warehouse with the outcomes of one campaign: 200 treated, 100 of them contacted, and 50 in the
    control group. Every other customer bought for 10."""
    whole = Settings(data_dir=tmp_path)
    warehouse = DuckDBWarehouse(whole.warehouse_file, whole.scratch)
    numbers = np.arange(250)
    bought = numbers % 2 == 0
    outcomes = pa.table(
        {
            "campaign": ["spring"] * 250,
            "customer_id": [f"C{number:03}" for number in numbers],
            "arm": np.where(numbers < 200, "treated", "holdout"),
            "treatment_share": np.full(250, 0.8),
            "segment": np.where(numbers % 4 < 2, "Lost", "At risk"),
            "window_ends_on": [ENDED_ON] * 250,
            "is_contacted": numbers < 100,
            "purchased": bought,
            "spend_in_window": np.where(bought, 10.0, 0.0),
            "spend_afterwards": pa.nulls(250, pa.float64()),
            **{name: np.ones(250) for name in ("churn_probability", "expected_spend", "spend_last_period")},
        }
    )
    with warehouse.connect() as con:
        con.register("outcomes", outcomes)
        con.execute(f"""
            create schema marts;
            create table marts.campaign_outcomes as from outcomes;
            create table marts.campaigns as select 'spring' as campaign, date '{LAUNCHED_ON}' as launched_on,
                date '{ENDED_ON}' as window_ends_on, 200 as treated, 50 as held_out, 'chance' as ranked_by,
                0.4::double as margin, 0.5::double as cost_per_contact, 5::double as cost_per_redemption,
                'EUR' as currency, 31 as window_days, '{DEFINITION}' as definition;
            create table marts.marketing_customers as select 'EUR' as currency;
        """)
    store_results(warehouse, {}, [], {})  # makes the table
    measure_campaigns.fn(warehouse, AsOf(ENDED_ON, "EUR", None, 90, "", customers=400))
    return warehouse


def test_a_campaign_costs_what_the_contacted_cost_and_those_of_them_redeem_who_buy(shop):
    (whole,) = read_results(shop, ENDED_ON).to_pylist()
    assert (whole["treated"], whole["held_out"], whole["contacted"]) == (200, 50, 100)
    assert whole["cost"] == 100 * 0.5 + 50 * 5
    for end in ("", "_low", "_high"):
        of_each = whole["margin_per_treated" if not end else f"margin{end}"]
        assert whole[f"profit{end}"] == pytest.approx(200 * of_each - whole["cost"])
    segments = shop.read("select contacted, cost from marts.campaign_results where segment <> 'all'").to_pylist()
    assert [segment["contacted"] for segment in segments] == [50, 50]
    assert sum(segment["cost"] for segment in segments) == whole["cost"]


def test_each_variant_is_compared_with_the_control_group_and_costs_what_it_costs(shop):
    contents = {"shoes": {"text": "New shoes"}, "hats": {"text": "New hats", "cost_per_contact": 1.0}}
    definition = campaign(variants=contents).model_dump_json()
    shop.change(
        "giving it variants",
        [
            f"update marts.campaigns set definition = '{definition}'",
            "alter table marts.campaign_outcomes add column variant varchar",
            "alter table marts.campaign_outcomes add column variant_share double default 0.5",
            """update marts.campaign_outcomes
            set variant = case when cast(substr(customer_id, 2) as integer) % 8 < 4 then 'shoes' else 'hats' end""",
        ],
    )
    measure_campaigns.fn(shop, AsOf(ENDED_ON, "EUR", None, 90, "", customers=400))
    of = {row["segment"]: row for row in shop.read("from marts.campaign_results").to_pylist()}
    shoes, hats = of["variant shoes"], of["variant hats"]
    assert [(row["treated"], row["held_out"], row["contacted"], row["offer"]) for row in (shoes, hats)] == [
        (100, 50, 52, "New shoes"), (100, 50, 48, "New hats"),
    ]  # fmt: skip
    assert (shoes["cost"], hats["cost"]) == (52 * 0.5 + 26 * 5, 48 * 1.0 + 24 * 5)
    assert of["all"]["cost"] == shoes["cost"] + hats["cost"]
    assert not shoes["is_sample_ratio_off"]


def test_results_name_the_offer_and_what_it_brought_for_what_it_cost(shop):
    (whole,) = read_results(shop, ENDED_ON).to_pylist()
    assert (whole["offer"], whole["window_days"]) == ("5 off", 31)
    for end in ("", "_low", "_high"):
        assert whole[f"additional_buyers{end}"] == pytest.approx(200 * whole[f"lift{end}"])
        of_each = whole["margin_per_treated" if not end else f"margin{end}"]
        assert whole[f"incremental_revenue{end}"] == pytest.approx(200 * of_each / 0.4)
    assert whole["return_on_spend"] == pytest.approx(whole["incremental_revenue"] / whole["cost"])


def test_a_campaign_that_brought_no_buyer_has_no_cost_for_each(shop):
    rows = shop.read(
        "select additional_buyers, cost, cost_per_additional_buyer from marts.campaign_results"
    ).to_pylist()
    for row in rows:
        more = row["additional_buyers"] > 0
        assert row["cost_per_additional_buyer"] == (
            pytest.approx(row["cost"] / row["additional_buyers"]) if more else None
        )


def test_the_effect_of_few_buyers_is_that_of_their_number_with_average_orders(shop):
    target = "select 'spring' as campaign, 'treated' as arm, 50::double as average_order_value"
    with shop.connect() as con:
        con.execute(f"create table marts.campaign_targets as {target}")
    (measured,) = read_effects(shop, ENDED_ON, "EUR")
    (row,) = read_results(shop, ENDED_ON).to_pylist()
    assert measured.effect.mean == row["margin_per_treated"]
    shop.change("-", ["update marts.campaign_results set margin_per_treated = null, margin_low = null, lift = 0.1"])
    (estimated,) = read_effects(shop, ENDED_ON, "EUR")
    assert estimated.effect.mean == pytest.approx(0.4 * 50 * 0.1)
    assert estimated.effect.error == pytest.approx(0.4 * 50 * (row["lift_high"] - row["lift_low"]) / (2 * 1.96))
    assert (estimated.treated, estimated.held_out) == (200, 50)
    assert read_effects(shop, ENDED_ON, "CHF") == []


def test_what_was_bought_afterwards_is_measured_once_after_sixty_days(shop):
    def measure(day):
        measure_campaigns.fn(shop, AsOf(day, "EUR", None, 90, "", customers=400))
        (whole,) = read_results(shop, day).to_pylist()
        return whole

    last_day = ENDED_ON + timedelta(days=60)
    shop.change("-", ["update marts.campaign_results set cost = 1 where segment = 'all'"])
    whole = measure(last_day - timedelta(days=1))
    assert whole["revenue_afterwards"] is whole["afterwards_until"] is None
    assert whole["cost"] == 1  # measured long ago
    bring_forward = "case when arm = 'holdout' or customer_id < 'C100' then spend_in_window else 0 end"
    shop.change("-", [f"update marts.campaign_outcomes set spend_afterwards = {bring_forward}"])
    whole = measure(last_day)
    assert whole["revenue_afterwards"] == pytest.approx(200 * (2.5 - 5))
    assert whole["revenue_afterwards_high"] < 0
    assert whole["afterwards_until"] == last_day
    shop.change("-", ["update marts.campaign_outcomes set spend_afterwards = 0"])
    assert measure(last_day + timedelta(days=1))["revenue_afterwards"] == whole["revenue_afterwards"]


@pytest.mark.parametrize(
    ("change", "is_used"),
    [
        ("contacted = 100", True),  # of 200
        ("contacted = 99", False),
        ("is_sample_ratio_off = true", False),
        ("currency = 'CHF'", False),
    ],
)
def test_a_campaign_is_used_where_its_figures_can_be_trusted_and_at_least_half_were_contacted(shop, change, is_used):
    shop.change("making the campaign another", [f"update marts.campaign_results set {change}"])
    assert len(read_history(shop, ENDED_ON)) == (250 if is_used else 0)


def test_each_target_has_the_offer_of_its_campaign(shop):
    history = read_history(shop, ENDED_ON)
    columns = ("offer_text", "offer_kind", "offer_value")
    assert {tuple(row[name] for name in columns) for row in history.to_pylist()} == {("5 off", "amount_off", 5.0)}


def test_a_campaign_that_is_not_learnt_from_may_have_any_definition(shop):
    shop.change(
        "launching another",
        ["insert into marts.campaigns (campaign, definition) values ('of another version', '{}')"],
    )
    assert len(read_history(shop, ENDED_ON)) == 250


def test_nothing_is_used_of_a_window_that_is_open(shop):
    assert len(read_history(shop, date(2026, 3, 30))) == 0
