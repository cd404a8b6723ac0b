"""The first screen of the page: how far to trust it, how fresh it is, and what changed."""

import copy
import re
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


def numbers(words):
    return [float(found.replace(",", "")) for found in re.findall(r"\d[\d,]*", words)]


def test_the_three_queues_have_their_sums_and_lead_to_their_lists(run, page):
    for name, button in (("keep", "Keep"), ("win_back", "Win back"), ("thank", "Thank")):
        customers, value = warehouse(run).row(
            f"select count(*), sum(queue_value) from {CUSTOMERS} where may_be_contacted and queue = '{name}'"
        )
        card = page.locator("#queue-sums button", has_text=button)
        assert numbers(page.inner_text(f"#sum-{name}")) == pytest.approx([value], abs=1)
        assert f"{button} {customers:,} customers" in card.inner_text()
        card.click()
        assert page.locator("#queues button[aria-pressed=true]").inner_text().startswith(button)
        assert page.evaluate("document.activeElement.id") == "list-title"


def test_who_changed_since_a_month_ago_is_counted_with_money_and_follows_the_filters(run, page):
    leaves = "in (select segment from staging.rfm_segments where rules_expect = 'leaves')"

    def expected(where):
        slipped = f"previous_segment not {leaves} and segment {leaves}"
        return warehouse(run).row(
            f"""select count_if(previous_segment is null), count_if({slipped}),
                sum(case when {slipped} then spend_last_365_days else 0 end),
                count_if(previous_segment {leaves} and segment not {leaves}) from {CUSTOMERS} where {where}"""
        )

    def shown():
        words = page.inner_text("#month")
        new, slipped, stake, _, back = numbers(words.partition(": ")[2])[:5]
        return [new, slipped, stake, back], words

    figures, words = shown()
    assert figures == pytest.approx(expected("true"), abs=1)
    assert min(figures) > 0
    months = warehouse(run).read(
        "select sum(revenue) as n from marts.monthly_customers group by month_ends_on order by month_ends_on desc"
    )
    last, before = months.column("n").to_pylist()[:2]
    assert f"took €{last:,.0f} in that month, €{before:,.0f} in the month before" in words
    page.get_by_role("combobox", name="Country").select_option("Germany")
    assert shown()[0] == pytest.approx(expected("country = 'Germany'"), abs=1)
