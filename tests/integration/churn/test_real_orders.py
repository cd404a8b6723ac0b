"""A real shop's export, judged by what really happened after the as-of date."""

import pytest

from flows.churn.candidates import BASELINES
from flows.churn.evaluation import mean_quality
from flows.settings import REPOSITORY
from tests.benchmarks.quality import AS_OF, HORIZON_DAYS, ONLINE_RETAIL, realised_quality

pytestmark = [
    pytest.mark.release,
    pytest.mark.whole_run,
    pytest.mark.skipif(not ONLINE_RETAIL.exists(), reason=f"needs {ONLINE_RETAIL.relative_to(REPOSITORY.parent)}"),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory, run_pipeline):
    data_dir = tmp_path_factory.mktemp("online_retail")
    settings = {"orders": str(ONLINE_RETAIL), "source": "online_retail", "horizon_days": HORIZON_DAYS, "as_of": AS_OF}
    return data_dir, run_pipeline(data_dir, **settings)


def test_the_quirks_of_the_export_are_rejected_and_counted(run):
    _, report = run
    assert report.order_lines == 541_909
    rejected = {row.reason: row.rows for row in report.receipt.rejections}
    assert set(rejected) == {"no customer", "duplicate line", "not a product", "manual correction", "amount of zero"}
    assert report.later_rows > 100_000
    assert report.as_of.currency == "GBP"


def test_the_probabilities_of_september_are_good_by_december(run):
    data_dir, report = run
    quality = realised_quality(data_dir)
    assert quality.customers == report.customers
    assert quality.auc >= 0.73
    assert quality.brier <= 0.208


def test_over_several_dates_the_model_is_better_calibrated_than_every_baseline(tmp_path, run_pipeline):
    """The autumn before Christmas is among them, and no model of a young shop can know of it."""
    settings = {"orders": str(ONLINE_RETAIL), "source": "online_retail", "horizon_days": HORIZON_DAYS}
    trained = run_pipeline(tmp_path, **settings).model.trained
    means = {name: mean_quality(qualities) for name, qualities in trained.backtest.qualities.items()}
    kept = means[trained.selection.candidate]
    assert len(trained.backtest.held_out) == 4
    assert kept["ece"] <= min(means[name]["ece"] for name in BASELINES)
    assert kept["brier"] <= min(means[name]["brier"] for name in BASELINES)
