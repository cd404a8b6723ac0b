"""The page over time: the shop month by month, and what cohorts have brought in, compared with the purchases."""

import re
from dataclasses import replace

import pytest

from functions.churn_api.contract import LIFECYCLES
from tests.running.browser import chromium, open_page
from tests.running.dashboard import CUSTOMERS, draw, press, warehouse

pytestmark = [
    pytest.mark.whole_run,
    pytest.mark.skipif(chromium() is None, reason="needs chromium (Debian package chromium)"),
]
# net amounts that were known at the end of a day
KNOWN = "intermediate.int_purchases where known_from <= '{day}' and known_until > '{day}' and net_amount > 0"


def number(words):
    return float(re.sub(r"[^\d.-]", "", words))


def table(page, place, within=""):
    rows = page.locator(f"#{place} {within} tr")
    rows = rows.evaluate_all("all => all.map(row => [...row.cells].map(of => of.textContent))")
    return {row[0]: row[1:] for row in rows}


def test_months_are_those_of_the_purchases_known_then_and_follow_the_filter_on_segment(run, page):
    page.locator("#over-time summary").click()
    months = table(page, "time-table", "table:first-child")
    months.pop("")
    days = warehouse(run).read("select distinct month_ends_on from marts.monthly_customers order by 1 desc")
    days = days.column(0).to_pylist()
    assert len(months) == len(days) == 25
    horizon = run.as_of.horizon_days
    for day, row in [*zip(days, months.values(), strict=True)][:18:6]:
        active, revenue, before, again = warehouse(run).row(
            f"""with known as (
                select *, date_diff('day', purchased_on, date '{day}') as age from {KNOWN.format(day=day)}
            ),
            lately as (select distinct customer_id from known where age < {horizon}),
            earlier as (select distinct customer_id from known where age between {horizon} and {2 * horizon - 1})
            select (select count(distinct customer_id) from known where age < 365),
                (select sum(net_amount) from known where purchased_on > date '{day}' - interval 1 month),
                (select count(*) from earlier), (select count(*) from earlier semi join lately using (customer_id))"""
        )
        assert number(row[0]) == active
        assert number(row[2]) == pytest.approx(float(revenue), abs=1)
        assert number(row[4]) == pytest.approx(100 * again / before, abs=0.51)
    now = months[next(iter(months))]
    leaving = "select segment from staging.rfm_segments where rules_expect = 'leaves'"
    at_risk = warehouse(run).row(f"select sum(spend_last_365_days) from {CUSTOMERS} where segment in ({leaving})")[0]
    assert number(now[3]) == pytest.approx(at_risk, abs=1)
    of_now = [*map(number, [*table(page, "time-table", "table:last-child").values()][1])]
    counts = warehouse(run).read(
        """select count(customer_id) as n from staging.rfm_segments as segments
        left join marts.marketing_customers using (segment) group by position order by position"""
    )
    assert of_now == counts.column("n").to_pylist()
    press(page, "segments", "Champions")
    heads, filtered, *_ = table(page, "time-table", "table:last-child").values()
    assert heads[0] == "Champions"
    assert [number(cell) for cell in filtered] == [of_now[0]] + [0] * 11


def test_the_lifecycle_of_months_is_that_of_the_mart_and_follows_the_filter_on_segment(run, page):
    page.locator("#over-time summary").click()
    for where in ("true", "segment = 'Loyal'"):
        shown = table(page, "time-table", "table:first-child")
        stages = [head.removeprefix("Lifecycle: ") for head in shown.pop("")[5:]]
        assert stages == list(LIFECYCLES)
        in_the_mart = (
            warehouse(run)
            .read(
                f"""select month_ends_on, {
                    ", ".join(
                        f"coalesce(sum(customers) filter (lifecycle = '{stage}'), 0) as {stage}" for stage in stages
                    )
                } from marts.monthly_lifecycle where {where} group by 1 order by 1 desc"""
            )
            .to_pylist()
        )
        rows = [[number(cell) for cell in row[5:]] for row in shown.values()]
        for months_ago in (0, 6):
            assert rows[months_ago] == [in_the_mart[months_ago][stage] for stage in stages]
        press(page, "segments", "Loyal")
    assert page.locator("#time svg[aria-label='Customers by lifecycle'] path").count() == len(LIFECYCLES)


def test_without_scores_there_is_no_lifecycle_by_month(run, browser, tmp_path):
    unscored = replace(run, model=None, why_no_model="There are too few customers.")
    draw(unscored, tmp_path / "page.html")
    page = open_page(browser, tmp_path / "page.html", locale="en-GB")
    assert "Customers by lifecycle" not in page.inner_text("#over-time")
    page.locator("#over-time summary").click()
    assert "Lifecycle" not in page.inner_text("#time-table")
    page.context.close()


def test_what_a_cohort_has_spent_is_added_up_and_the_first_is_marked_as_partial(run, page):
    cohorts = table(page, "cohort-value")
    quarters = cohorts.pop("")[1:]
    first = next(iter(cohorts))
    assert first.endswith(" *")
    assert f"{first[:-2]} is partial" in page.inner_text("#cohort-value-note")
    spent = (
        warehouse(run)
        .read(
            """with cohort as (
            select customer_id, date_trunc('quarter', first_purchased_on) as quarter
            from (select customer_id, min(purchased_on) as first_purchased_on from intermediate.int_purchases
                where known_until = '9999-12-31' and net_amount > 0 group by customer_id)
        )
        select date_diff('quarter', quarter, purchased_on) as n, cast(sum(net_amount) as double) as spent,
            (select count(*) from cohort where quarter = '2025-01-01') as customers
        from intermediate.int_purchases inner join cohort using (customer_id)
        where quarter = '2025-01-01' and known_until = '9999-12-31' group by n order by n"""
        )
        .to_pylist()
    )
    shown = [number(cell) for cell in cohorts["2025 Q1"] if cell]
    assert len(shown) == 1 + len(quarters[: len(spent)])
    total = 0
    for quarter, row in enumerate(spent, 1):
        total += row["spent"]
        assert shown[quarter] == pytest.approx(total / row["customers"], abs=0.51)
    press(page, "retention", "2025 Q1")
    assert [name for name in table(page, "cohort-value") if name] == ["2025 Q1"]
    assert page.locator("#cohort-lines circle").count() == 1
