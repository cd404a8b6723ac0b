"""What was predicted is judged when its horizon has passed, and every scoring says whether customers have changed."""

from datetime import date, timedelta

import pytest

from flows.simulator.shop import ShopProfile, simulate
from functions.churn_api.contract import FEATURE_NAMES
from tests.running.marts import write_orders

pytestmark = pytest.mark.whole_run

FIRST, HORIZON_DAYS = date(2026, 3, 20), 60


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory, run_pipeline):
    folder = tmp_path_factory.mktemp("monitored")
    orders = write_orders(folder / "orders.csv", simulate(ShopProfile(customers=900, seed=12)).order_lines)
    for days in (0, HORIZON_DAYS - 1, HORIZON_DAYS):
        run_pipeline(folder, orders=orders, as_of=FIRST + timedelta(days=days), horizon_days=HORIZON_DAYS)
    return folder


def measures(read, data_dir, where):
    found = read(data_dir, f"from marts.model_monitoring where {where} order by measure, feature")
    return found.to_pylist()


def test_every_scoring_measures_each_feature_and_the_score_once(data_dir, read):
    rows = measures(read, data_dir, "measure in ('feature_drift', 'score_drift')")
    keys = {(row["as_of_date"], row["measure"], row["feature"]) for row in rows}
    assert len({key[0] for key in keys}) == 3
    assert len(keys) == 3 * (len(FEATURE_NAMES) + 1)


def test_a_prediction_is_judged_when_its_horizon_has_passed_and_not_a_day_before(data_dir, read):
    (auc,) = measures(read, data_dir, "measure = 'auc'")
    assert auc["as_of_date"] == FIRST
    assert auc["value"] > 0.7
    judged = read(data_dir, "select distinct measured_at from marts.model_monitoring where measure = 'auc'")
    runs = read(data_dir, "select max(scored_at) as last from marts.churn_predictions")
    assert judged.column("measured_at")[0].as_py() == runs.column("last")[0].as_py()


def test_the_figures_are_those_of_what_happened(data_dir, read):
    outcome = read(
        data_dir,
        f"""select avg((churn_probability - churned::int) ^ 2) as brier, count(*) as customers from (
            select churn_probability, not exists (
                select 1 from intermediate.int_purchases as p where p.customer_id = c.customer_id
                    and p.purchased_on > c.as_of_date and p.purchased_on <= c.as_of_date + c.horizon_days
                    and p.known_from <= c.as_of_date + c.horizon_days
                    and p.known_until > c.as_of_date + c.horizon_days and p.net_amount > 0
            ) as churned
            from marts.churn_predictions as c
            inner join (
                select customer_id, max(purchased_on) as last_on from intermediate.int_purchases
                where purchased_on <= '{FIRST}' and known_from <= '{FIRST}' and known_until > '{FIRST}'
                    and net_amount > 0
                group by customer_id
            ) as known using (customer_id)
            -- who could still be kept
            where as_of_date = '{FIRST}' and last_on >= as_of_date - 2 * horizon_days
        )""",
    ).to_pylist()[0]
    (brier,) = measures(read, data_dir, "measure = 'brier'")
    assert brier["value"] == pytest.approx(outcome["brier"])
    assert brier["customers"] == outcome["customers"]
