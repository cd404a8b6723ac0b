"""The first screen of the page: how far to trust it, how fresh it is, and what changed."""

import copy
import shutil
from dataclasses import replace

import duckdb
import pytest

from flows.adapters.dashboard.page import write_dashboard
from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.sources.data_age import DataAge
from tests.running.browser import chromium, open_page
from tests.running.dashboard import CUSTOMERS, warehouse

pytestmark = [
    pytest.mark.whole_run,
    pytest.mark.skipif(chromium() is None, reason="needs chromium (Debian package chromium)"),
]


@pytest.fixture
def drawn(run, browser, tmp_path):
    """Draws a report and opens its page."""
    opened = []

    def draw(report, of=None):
        write_dashboard(of or warehouse(run), report, tmp_path / "page.html")
        opened.append(open_page(browser, tmp_path / "page.html", locale="en-GB"))
        return opened[-1]

    yield draw
    for page in opened:
        assert page.complaints == []
        page.context.close()


def with_calibration_error(report, ece):
    card = copy.deepcopy(dict(report.model.model.card))
    card["quality"]["ece"] = ece
    return replace(report, model=replace(report.model, model=replace(report.model.model, card=card)))


def quiet(report):
    """Without warnings of the monitoring."""
    return replace(report, measured=report.measured.slice(0, 0))


def border(page):
    return page.locator("#verdict").evaluate("of => getComputedStyle(of).borderLeftColor")


def test_a_model_that_kept_its_promises_is_tested_and_one_that_did_not_is_read_with_care(run, drawn):
    good, off = (drawn(with_calibration_error(quiet(run), ece)) for ece in (0.0, 0.5))
    assert good.inner_text("#verdict").startswith("Tested:")
    assert off.inner_text("#verdict").startswith("Read with care: on past dates of this shop")
    assert border(good) != border(off)
    assert "no loss of quality" in good.inner_text("#realised")
    assert "no loss of quality" not in off.inner_text("#realised")
    off.click("#language")
    assert off.inner_text("#verdict").startswith("À lire avec prudence\u202f: à des dates passées")


def test_a_warning_of_the_monitoring_is_in_the_first_sentence(run, drawn):
    row = run.measured.to_pylist()[0] | {"is_warning": True}
    page = drawn(replace(run, measured=type(run.measured).from_pylist([row], schema=run.measured.schema)))
    assert page.inner_text("#verdict").startswith(f"Read with care: customers differ in {row['feature']}")


def test_the_shipped_model_is_a_first_orientation_and_no_model_is_none(run, drawn):
    shipped = drawn(replace(run, model=replace(run.model, why_shipped="there is too little history")))
    assert shipped.inner_text("#verdict").startswith("A first orientation:")
    nobody = drawn(replace(run, model=None, why_no_model="There are too few customers."))
    assert nobody.inner_text("#verdict").startswith("No customer was scored")


def test_the_newest_order_and_what_is_old_are_named(run, drawn):
    newest = max(of.last_on for of in run.receipt.totals)
    old = DataAge(warnings=(f"the newest order is of {newest}, 5 days ago",))
    page = drawn(replace(run, age=old))
    assert f"The newest order is of {newest:%-d %b %Y}." in page.inner_text("#verdict").replace("Sept", "Sep")
    assert "5 days ago" in page.inner_text("#verdict")
    page.click("#language")
    assert "il y a 5 jours" in page.inner_text("#verdict")


def test_what_changed_since_the_run_before_is_counted(run, drawn, tmp_path):
    first = drawn(run)
    assert not first.is_visible("#changes")  # there is no run before
    shutil.copyfile(run.settings.warehouse_file, tmp_path / "copy.duckdb")
    with duckdb.connect(tmp_path / "copy.duckdb") as con:
        con.execute(
            """insert into marts.churn_predictions by name select * replace (
                as_of_date - 30 as as_of_date, prediction_id || '-before' as prediction_id, 100 as expected_loss,
                if(hash(customer_id) % 2 = 0, 'active', 'gone') as lifecycle
            ) from marts.churn_predictions where hash(customer_id) % 10 <> 1"""
        )
    before = DuckDBWarehouse(tmp_path / "copy.duckdb", tmp_path)
    was = "case when hash(customer_id) % 10 = 1 then null when hash(customer_id) % 2 = 0 then 'active' else 'gone' end"
    leaves = "lifecycle in ('slipping', 'gone')"
    ids = "select distinct customer_id from marts.churn_predictions"
    new, slipped, back, loss = before.row(
        f"""select count_if(was is null), count_if({leaves} and was = 'active'),
            count_if(not {leaves} and was = 'gone'), sum(expected_loss) from (
                select *, case when customer_id in ({ids}) then {was} end as was from {CUSTOMERS}
            )"""
    )
    assert min(new, slipped, back) > 0
    words = drawn(run, before).inner_text("#changes")
    assert f"{new} customers are new, {slipped} slipped, {back} came back; the expected loss is €{loss:,.0f}" in words
