"""The page, as a browser shows it, compared with the mart that it was drawn from."""

import csv
import json
import re
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest

from flows.adapters.dashboard.campaigns import MAX_SHOWN
from flows.adapters.dashboard.contact_list import write_contact_list
from flows.adapters.dashboard.page import write_dashboard
from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.adapters.marts.monitoring import WARNING_TEXTS
from flows.adapters.marts.second_order import SecondOrder
from flows.adapters.privacy.masking import masked
from flows.baskets.reasons import ALIKE_TEXT
from flows.churn.past_forecasts import Correction, Corrections
from flows.console.run_summary import as_markdown
from flows.settings import REPOSITORY
from functions.churn_api.contract import CAUSE_NAMES, FEATURE_NAMES, LIFECYCLES
from functions.churn_api.reasons import describe_reasons
from functions.predicted import REASONS
from tests.examples import campaigns as made_up
from tests.running.browser import chromium, open_page, packed_data
from tests.running.dashboard import CUSTOMERS, draw, press, warehouse, with_currency

pytestmark = [
    pytest.mark.whole_run,
    pytest.mark.skipif(chromium() is None, reason="needs chromium (Debian package chromium)"),
]
INTERMEDIATE = REPOSITORY / "dbt_project/models/intermediate"


def one(run, what, where="true"):
    return warehouse(run).row(f"select {what} from {CUSTOMERS} where {where}")[0]


def number(words):
    """Of "€1,234", "45%", "1 234 €"."""
    return float(re.sub(r"[^\d.-]", "", words))


def figures(page):
    return {
        name: number(page.inner_text(f"#figure-{name}"))
        for name in ("customers", "active", "spend_last_period", "expected_spend", "expected_loss")
    }


def figures_of_the_mart(run, where="true"):
    row = warehouse(run).read(
        f"""select count(*) as customers, count_if(recency_days < 365) as active,
            sum(spend_last_period) as spend_last_period, sum(expected_spend) as expected_spend,
            sum(expected_loss) as expected_loss from {CUSTOMERS} where {where}"""
    )
    return pytest.approx({name: float(value or 0) for name, value in row.to_pylist()[0].items()}, abs=1)


def marks(page, place):
    return page.locator(f"#{place} button.mark")


def test_the_total_of_expected_spend_has_its_interval_and_the_same_days_of_last_year_next_to_it(run, page):
    spend, clv = run.expected_spend, run.clv
    for amount in (spend.expected, *spend.ends[:2], run.spend_last_year, clv.expected, *(clv.ends or ())[:2]):
        assert f"{amount:,.0f}" in page.inner_text("#forecast")


def test_totals_say_what_past_forecasts_were_off_by_and_what_they_are_without_the_correction(run, browser, tmp_path):
    off = Corrections(Correction(0.93, 0.03, 4, 0.12), Correction(1.04, 0.02, 2, -0.06))
    corrected = replace(run, corrections=off)
    write_dashboard(warehouse(run), corrected, tmp_path / "page.html")
    drawn = open_page(browser, tmp_path / "page.html", locale="en-GB")
    spend, clv = corrected.expected_spend, corrected.clv
    words, summary = drawn.inner_text("#forecast"), as_markdown(corrected)
    assert "Corrected by −7%: forecasts of this kind that have come due (last 4) were on average 12% too high" in words
    assert "Corrected by +4%" in words
    assert "the last 4 such forecasts were on average 12% too high; this one is corrected by -7% for that" in summary
    for amount in (spend.expected, spend.uncorrected, *spend.ends[:2], clv.uncorrected, corrected.expected_loss):
        assert f"{amount:,.0f}" in words
        assert f"{amount:,.0f}" in summary
    assert spend.expected == pytest.approx(0.93 * run.expected_spend.expected)
    assert corrected.expected_loss < run.expected_loss
    drawn.click("#language")
    assert "Corrigé de −7\xa0%" in drawn.inner_text("#forecast").replace("\u202f", "\xa0")
    drawn.context.close()


def test_who_is_not_expected_soon_has_the_day_of_their_next_order_if_they_come_back(run, page):
    page.locator("#queues").get_by_role("button", name="Win back").click()
    [unexpected] = (
        warehouse(run).read(
            f"""select customer_id, next_order_if_back_on as day from {CUSTOMERS}
            where may_be_contacted and queue = 'win_back' and next_order_on is null
            order by queue_value desc nulls last, monetary desc, customer_id limit 1"""
        )
    ).to_pylist()
    row = page.locator("#list tbody tr", has_text=unexpected["customer_id"]).first
    assert f"if they come back: {unexpected['day'].day} {unexpected['day']:%b %Y}" in row.inner_text()


def test_french_is_set_with_spaces_that_no_line_breaks_at_and_with_curved_apostrophes(page):
    page.click("#language")
    shown = page.inner_text("body")
    assert re.findall(r"\w+ [:;?!»]|« |\w'\w", shown) == []
    assert "\u202f:" in shown
    page.click("#language")


def test_the_figures_are_those_of_the_mart(run, page):
    assert figures(page) == figures_of_the_mart(run)
    for segment in warehouse(run).read("select * from staging.rfm_segments").to_pylist():
        name = segment["segment"]
        row = page.locator("#segments tr", has=page.get_by_role("button", name=name, exact=True))
        here = f"segment = '{name.replace(chr(39), chr(39) * 2)}'"
        cells = [number(words) for words in row.locator("td.n").all_inner_texts() if words != "–"]
        assert cells[0] == one(run, "count(*)", here)
        if cells[0]:
            assert cells[1:] == pytest.approx(
                [
                    one(run, "sum(spend_last_365_days)", here), one(run, "sum(expected_loss)", here),
                    100 * one(run, "avg(churn_probability)", here), one(run, "sum(expected_spend)", here),
                ], abs=1,
            )  # fmt: skip


@pytest.mark.parametrize(
    ("clicks", "where"),
    [
        ([("segments", "Champions")], "segment = 'Champions'"),
        ([("segments", "Champions"), ("segments", "Loyal")], "segment in ('Champions', 'Loyal')"),
        ([("rfm", "recency 5, frequency 5")], "r_score = 5 and f_score = 5"),
        ([("lifecycle", "slipping")], "lifecycle = 'slipping'"),
        ([("lifecycle", "due"), ("lifecycle", "gone")], "lifecycle in ('due', 'gone')"),
        ([("churn", "95%–100%")], "churn_probability >= 0.95"),
        ([("movement", "Champions → Champions")], "segment = 'Champions' and previous_segment = 'Champions'"),
        ([("movement", "no customer yet → New")], "segment = 'New customers' and previous_segment is null"),
        ([("rfm-none", "No order in the last")], "r_score = 0"),
        ([("disagreement", "Lost → high")], "segment = 'Lost' and risk_band = 'high'"),
        ([("country", "Germany"), ("channel", "social")], "country = 'Germany' and channel = 'social'"),
        ([("retention", "2025 Q1")], "first_purchased_on between '2025-01-01' and '2025-03-31'"),
    ],
)
def test_a_click_on_any_mark_filters_everything(run, page, clicks, where):
    for place, name in clicks:
        press(page, place, name)
    assert 0 < figures(page)["customers"] < run.customers
    assert figures(page) == figures_of_the_mart(run, where)
    in_segments = [number(row) for row in page.locator("#segments tbody tr td:nth-of-type(1)").all_inner_texts()]
    if "segment" not in where:
        assert sum(in_segments) == one(run, "count(*)", where)
    listed = page.locator("#list tbody tr td:first-child div:first-child").all_inner_texts()
    of_the_mart = warehouse(run).read(f"select customer_id, email from {CUSTOMERS} where may_be_contacted and {where}")
    assert set(listed) <= set(masked(of_the_mart).column("customer_id").to_pylist())
    page.get_by_role("button", name="Reset").click()
    assert figures(page) == figures_of_the_mart(run)
    assert page.locator("button.mark[aria-pressed=true]").count() == 0


def test_the_filters_on_top_and_the_chips_say_and_change_what_is_chosen(run, page):
    page.get_by_role("combobox", name="Country").select_option("France")
    page.get_by_role("combobox", name="Risk").select_option("high")
    assert figures(page) == figures_of_the_mart(run, "country = 'France' and risk_band = 'high'")
    page.get_by_role("button", name="Country: France ×").click()
    assert figures(page) == figures_of_the_mart(run, "risk_band = 'high'")
    page.get_by_role("button", name="Risk: high ×").click()
    assert figures(page) == figures_of_the_mart(run)
    page.get_by_role("combobox", name="Lifecycle").select_option("active")
    assert figures(page) == figures_of_the_mart(run, "lifecycle = 'active'")
    page.get_by_role("button", name="Lifecycle: active ×").click()
    assert figures(page) == figures_of_the_mart(run)


def test_each_stage_of_the_lifecycle_is_counted_and_says_what_it_means_in_both_languages(run, page):
    english = page.locator("#lifecycle tr").all_inner_texts()
    for stage, row in zip(LIFECYCLES, english, strict=False):
        assert row.startswith(stage)
        assert number(row.split("\n")[-1].split("\t")[-1]) == one(run, "count(*)", f"lifecycle = '{stage}'")
    assert page.locator("#lifecycle .definition").count() == len(LIFECYCLES)
    page.get_by_role("button", name="Français").click()
    french = page.locator("#lifecycle th button:visible").all_inner_texts()
    assert french == ["nouveau", "actif", "attendu", "en train de partir", "parti"]
    assert not set(page.locator("#lifecycle .definition").all_inner_texts()) & {*"".join(english).split("\n")}


def test_a_shop_of_one_time_buyers_says_who_should_order_again_and_others_say_nothing(run, page, browser, tmp_path):
    assert run.second_order is None
    assert "second order" not in as_markdown(run)
    assert not page.is_visible("#second-order")
    found = SecondOrder(1234, 180, 0.21, 3, predicted_then=0.37, ordered_again=0.31, auc=0.58)
    assert (
        "second order: 1,234 customers have ordered once and can still be kept (last order within 180 days); 21% of"
        " them should order again"
    ) in as_markdown(replace(run, second_order=found))
    draw(replace(run, second_order=found), tmp_path / "once.html")
    once = open_page(browser, tmp_path / "once.html", locale="en-GB")
    for _ in ("English", "Français"):
        assert once.is_visible("#second-order")
        shown = once.inner_text("#second-order").replace("\u202f", " ").replace("\xa0", " ")
        figures_said = re.findall(r"\d[\d ,]*\d", shown)
        assert [number(words) for words in figures_said] == [1234, 180, 21, run.as_of.horizon_days, 37, 31, 58]
        once.click("#language")
    once.context.close()


def test_retention_is_that_of_the_mart_and_follows_the_filters(run, page):
    def shown():
        row = page.locator("#retention tr", has=page.get_by_role("button", name="2025 Q1"))
        return [number(cell) for cell in row.locator("td").all_inner_texts() if cell]

    def of_the_mart(where):
        rows = (
            warehouse(run)
            .read(
                f"""select sum(customers) as n, sum(active_customers) as active from marts.cohort_retention
            where cohort_quarter = '2025-01-01' and {where} group by quarters_since order by quarters_since"""
            )
            .to_pylist()
        )
        return [float(rows[0]["n"]), *(100 * float(row["active"]) / float(row["n"]) for row in rows)]

    assert shown() == pytest.approx(of_the_mart("true"), abs=0.51)
    page.get_by_role("combobox", name="Country").select_option("Germany")
    assert shown() == pytest.approx(of_the_mart("country = 'Germany'"), abs=0.51)


def test_who_moved_is_counted_by_whether_they_bought(run, page):
    press(page, "segments", "Loyal")
    counts = [number(words) for words in re.findall(r"([\d,]+) (?:customers|have)", page.inner_text("#movement-note"))]
    moved = "segment <> previous_segment and segment = 'Loyal'"
    bought, silent = (one(run, "count(*)", f"{moved} and {how}bought_in_last_month") for how in ("", "not "))
    assert counts == [bought + silent, bought, silent]
    assert bought > 0 < silent


def test_a_segment_says_what_it_means_in_the_shop(run, page):
    definitions = warehouse(run).read("select segment, definition from marts.segment_definitions").to_pylist()
    for row in definitions:
        shown = page.locator("#segments tr", has=page.get_by_role("button", name=row["segment"], exact=True))
        assert with_currency(row["definition"]) in shown.inner_text()
    assert "A review is due on" in page.inner_text("#borders")
    page.get_by_role("button", name="Français").click()
    for definition in page.locator("#segments .definition").all_inner_texts():
        assert not re.search(r"\b(silent|orders|more|less|days|nobody)\b", definition)


def test_pictures_show_the_given_figures(run, page):
    page.get_by_role("button", name="Expected loss", exact=True).first.click()
    label = page.locator("#rfm").get_by_role("button", name="recency 5, frequency 5").get_attribute("aria-label")
    assert number(label.split(":")[1]) == pytest.approx(
        one(run, "sum(expected_loss)", "r_score = 5 and f_score = 5"), abs=1
    )


def test_every_mark_can_be_reached_and_pressed_with_the_keyboard(page):
    for place in (
        "segments",
        "lifecycle",
        "rfm",
        "churn",
        "movement",
        "disagreement",
        "country",
        "channel",
        "retention",
    ):
        assert marks(page, place).count() >= 5
        unnamed = marks(page, place).evaluate_all(
            "all => all.filter(mark => !(mark.getAttribute('aria-label') || mark.textContent)).length"
        )
        assert unnamed == 0
    mark = marks(page, "rfm").first
    mark.focus()
    page.keyboard.press("Enter")
    assert mark.get_attribute("aria-pressed") == "true"
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert page.locator("#rfm button.mark[aria-pressed=true]").count() == 2


def test_each_queue_is_ranked_by_its_value_and_says_why(run, page):
    listed = "may_be_contacted and queue = "
    for queue, button, value in (
        ("keep", "Keep", "expected_loss"), ("win_back", "Win back", "win_back_value"), ("thank", "Thank", "clv")
    ):  # fmt: skip
        chosen = page.locator("#queues").get_by_role("button", name=button)
        chosen.click()
        assert number(chosen.inner_text()) == one(run, "count(*)", f"{listed}'{queue}'")
        values = [number(cell) for cell in page.locator("#list tbody td:nth-child(4)").all_inner_texts()]
        assert values == sorted(values, reverse=True)
        assert values[0] == pytest.approx(one(run, f"max({value})", f"{listed}'{queue}'"), abs=1)
        why = page.locator("#list tbody td.why div:first-child").all_inner_texts()
        assert {words.partition(":")[0] for words in why} == {
            {"keep": "slipping", "win_back": "gone"}.get(queue, "active")
        }


def test_an_empty_queue_says_why(run, page):
    press(page, "segments", "Inactive")
    page.locator("#queues").get_by_role("button", name="Thank").click()
    assert page.locator("#list").is_hidden()
    assert page.inner_text("#list-note") == "Nobody of this queue passes the filters on the page."
    page.get_by_role("button", name="Reset").click()
    page.locator("#search").fill("nobody is called that")
    assert page.inner_text("#list-note").startswith("Nobody on the page fits.")


def test_a_page_begins_with_a_queue_that_somebody_is_in_and_fits_a_phone_in_french(run, browser, tmp_path):
    shutil.copy(run.settings.warehouse_file, tmp_path / "copy.duckdb")
    with duckdb.connect(tmp_path / "copy.duckdb") as con:
        con.execute(f"update {CUSTOMERS} set queue = 'thank' where queue is not null")
    copy = DuckDBWarehouse(tmp_path / "copy.duckdb", tmp_path)
    write_dashboard(copy, run, tmp_path / "page.html")
    phone = open_page(browser, tmp_path / "page.html", width=390, height=844, locale="fr-FR")
    assert phone.locator("#queues button[aria-pressed=true]").inner_text().startswith("Remercier")
    assert phone.locator("#list tbody tr").count() > 10
    phone.evaluate(
        "for (const b of document.querySelectorAll('.figures b')) b.textContent = '91\u202f680\u202f474\u00a0£GB'"
    )
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    phone.context.close()


def test_the_list_can_be_sorted_and_searched(run, page):
    page.locator("#list").get_by_role("button", name="Customer").click()
    ids = page.locator("#list tbody td:first-child div:first-child").all_inner_texts()
    assert ids == sorted(ids)
    assert page.locator("#list th[aria-sort=ascending]").count() == 1
    rows = page.locator("#list tbody tr").count()
    page.get_by_role("button", name="Show more").click()
    assert page.locator("#list tbody tr").count() > rows
    page.locator("#search").fill(ids[5].lower())
    assert page.locator("#list tbody tr").count() == 1
    why = page.locator("#list td.why").inner_text().splitlines()
    (of,) = warehouse(run).read(f"select * from {CUSTOMERS} where customer_id = '{ids[5]}'").to_pylist()
    reasons = [reason for reason in (of["reason_1"], of["reason_2"], of["reason_3"]) if reason]
    assert why[0] == with_currency(of["why"])
    assert why[1:] == [with_currency(r) for r in reasons if r.partition(": ")[2].partition(";")[0] not in of["why"]]
    assert page.locator("#list td.what").inner_text() == of["recommended_action"]


def test_nobody_who_opted_out_is_on_the_page_or_in_the_file(run):
    names = set(packed_data(run.settings.dashboard_file)["list"]["customer_id"])
    with run.settings.contacts_file.open(encoding="utf-8-sig") as file:
        in_file = [row["customer_id"] for row in csv.DictReader(file)]
    out = set(
        warehouse(run).read(f"select customer_id from {CUSTOMERS} where not may_be_contacted").column(0).to_pylist()
    )
    assert len(out) > 20
    assert not out & (names | set(in_file))
    assert len(in_file) == one(run, "count(*)", "may_be_contacted and queue is not null")
    # as the mart ranks them; and no spreadsheet takes one for a formula
    assert in_file[:3] == ["<img src=x onerror=alert(1)>", "'=1+1", in_file[2]]


def test_personal_data_is_masked_unless_asked_for(run, browser, tmp_path):
    shown, link = tmp_path / "shown.html", "https://crm.example.com/c/{customer_id}"
    draw(run, shown, show_pii=True, crm_link=link)
    assert "someone@example.org" in packed_data(shown)["list"]["customer_id"]
    write_contact_list(warehouse(run), tmp_path / "shown.csv", show_pii=True)
    assert "someone@example.org" in (tmp_path / "shown.csv").read_text()

    masked_page = run.settings.dashboard_file
    for text in (json.dumps(packed_data(masked_page), ensure_ascii=False), run.settings.contacts_file.read_text()):
        assert not re.search(r"\w{2,}@example", text)
        assert "s•••@example.org " in text
    draw(run, tmp_path / "linked.html", crm_link=link)
    page = open_page(browser, tmp_path / "linked.html")
    links = page.locator("#list td a").evaluate_all("all => all.map(link => link.href)")
    assert links[0] == "https://crm.example.com/c/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E"
    assert not any("example.org" in link for link in links)  # a masked id leads nowhere
    page.context.close()


def test_every_phrase_of_the_warehouse_has_its_french(run, page):
    """Of every reason, segment, action, ground for rejecting and warning: none stays English."""
    rng = np.random.default_rng(1)
    features = rng.integers(0, 5, (400, len(FEATURE_NAMES))).astype(float)
    features[rng.random(features.shape) < 0.2] = np.nan
    features[200:] *= 1_000
    causes = np.argsort(rng.random((400, len(CAUSE_NAMES))))[:, :REASONS]
    reasons = describe_reasons(features, rng.normal(size=(400, len(CAUSE_NAMES))), causes)
    of_the_run = [
        *warehouse(run).read("select distinct why from marts.marketing_customers where why is not null").to_pylist(),
        *warehouse(run).read("select definition from marts.segment_definitions").to_pylist(),
        *warehouse(run).read("select segment from staging.rfm_segments").to_pylist(),
        *warehouse(run).read("select recommended_action from staging.recommended_actions").to_pylist(),
        *warehouse(run).read("select distinct reason from marts.next_products").to_pylist(),
        *({"reason": text} for text in (ALIKE_TEXT, "popular: bought by 12 % of those who bought in 60 days")),
    ]
    validated = "".join(
        file.read_text() for file in (REPOSITORY / "dbt_project/models/staging/shop").glob("*validated.sql")
    )
    conflicts = re.findall(
        r"(?:then|else|select)\s+'([^']{9,})'", (INTERMEDIATE / "int_identity_conflicts.sql").read_text()
    )
    row = {"feature": "frequency", "value": 0.3, "limit_value": 0.2, "as_of_date": "2026-01-01"}
    phrases = {
        *(phrase for of_rank in reasons for phrase in of_rank),
        *(text for row in of_the_run for text in row.values()),
        *re.findall(r"then '([a-z:\- ]{8,})'", validated),
        *(f"3 × {text} (intermediate.int_identity_conflicts)" for text in conflicts),
        *(warning.format(**row) for warning in WARNING_TEXTS.values()),
    }  # fmt: skip
    assert len(phrases) > 300
    page.get_by_role("button", name="Français").click()
    english = page.evaluate("all => all.filter(text => translated(text) === text)", sorted(phrases))
    assert english == ["Champions"]
    assert page.evaluate("translated('others who bought Lost buy it too')") == (
        "d’autres acheteurs de Lost l’achètent aussi"  # a product's name stays
    )
    assert page.evaluate("translated('bought every 5 weeks, last 1 month ago')") == (
        "acheté toutes les 5 semaines, la dernière fois il y a 1 mois"
    )
    assert page.evaluate("translated('lower risk: last order 1,200 days ago; usually every 8 days')") == (
        "risque plus faible\u202f: dernière commande il y a 1\u202f200 jours\u202f; d’habitude tous les 8 jours"
    )


def test_both_languages_have_every_word_and_what_was_chosen_stays(run, page):
    labels = packed_data(run.settings.dashboard_file)["texts"]["labels"]
    assert all(set(words) == {"en", "fr"} for words in labels.values())
    press(page, "segments", "Loyal")
    before = figures(page)
    page.get_by_role("button", name="Français").click()
    assert page.get_attribute("html", "lang") == "fr"
    assert page.inner_text("h1") == labels["title"]["fr"].replace(" :", "\u202f:")
    assert number(page.inner_text("#figure-customers")) == before["customers"]
    assert page.locator("#segments button.mark[aria-pressed=true]").inner_text() == "Fidèles"


def test_the_list_is_searched_in_the_words_that_are_shown(page):
    page.get_by_role("button", name="Français").click()
    for words in ("dernière commande", "last order"):
        page.locator("#search").fill(words)
        assert page.locator("#list tbody tr").count() > 0


def test_the_focus_stays_on_the_page(run, page):
    press(page, "segments", "Loyal")
    page.get_by_role("button", name="Segment: Loyal ×").click()
    assert page.evaluate("document.activeElement.id") == "how-many"
    press(page, "segments", "Loyal")
    page.get_by_role("button", name="Reset").click()
    assert page.evaluate("document.activeElement.id") == "how-many"


@pytest.mark.parametrize("currency", ["€", "EURO", None])
def test_a_currency_of_any_name_is_shown(run, browser, tmp_path, currency):
    write_dashboard(warehouse(run), replace(run, as_of=replace(run.as_of, currency=currency)), tmp_path / "page.html")
    page = open_page(browser, tmp_path / "page.html", locale="en-GB")
    assert page.complaints == []
    assert page.inner_text("#figure-expected_loss").endswith(currency or "")
    page.context.close()


def test_the_day_of_the_scores_is_that_of_utc_wherever_the_reader_is(run, browser):
    scored = warehouse(run).row(f"select max(scored_at) from {CUSTOMERS}")[0]
    page = open_page(browser, run.settings.dashboard_file, locale="en-GB", timezone_id="Pacific/Auckland")
    assert f"Scored on {scored:%-d %b %Y} {scored:%H:%M} UTC" in page.inner_text("footer").replace("Sept", "Sep")
    page.context.close()


def test_it_is_dark_where_dark_is_wanted(run, browser):
    page = open_page(browser, run.settings.dashboard_file, color_scheme="dark")
    colour = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(colour)
    page.get_by_role("button", name="Light / dark").click()
    assert page.evaluate(colour) != dark
    page.context.close()


def test_a_shop_without_scores_has_a_page_without_them(run, browser, tmp_path):
    con = DuckDBWarehouse(run.settings.warehouse_file, tmp_path)
    unscored = replace(run, model=None, why_no_model="There are too few customers.")
    write_dashboard(con, unscored, tmp_path / "page.html")
    page = open_page(browser, tmp_path / "page.html")
    assert "No customer was scored. There are too few customers." in page.inner_text("main")
    for gone in ("#lifecycle", "#churn", "#disagreement", "#trust", "#figure-expected_loss", "#choices label.scored"):
        assert page.locator(gone).filter(visible=True).count() == 0
    assert "stake" not in page.inner_text("main")
    assert page.locator("#list tbody tr").count() > 10
    page.context.close()


def test_predicted_and_observed_churn_is_drawn_for_every_held_out_date(run, page):
    assert page.locator("#reliability circle").count() == 10 * len(run.model.model.card["held_out"]) >= 20
    assert f"{run.model.quality['churn_rate']:.0%} did" in page.inner_text("#trust-note")


def test_a_past_prediction_that_was_wrong_stays_a_warning(run, browser, tmp_path):
    at, of = run.as_of.date, run.as_of
    judged = at - timedelta(days=of.horizon_days)
    row = "'{}', date '{}', {}, '{}', '', {}, {}, {}, 300, timestamp '2026-07-01 00:00:00'"
    others = [  # another model of that day, another horizon, and what was not known yet
        row.format("older", judged, of.horizon_days, "auc", 0.84, 0.75, "false"),
        row.format(run.model.version, judged, 30, "auc", 0.85, 0.75, "false"),
        row.format(run.model.version, at, of.horizon_days, "auc", 0.86, 0.75, "false"),
    ]
    wrong = row.format(run.model.version, judged, of.horizon_days, "auc", 0.7, 0.75, "true")
    with duckdb.connect(run.settings.warehouse_file) as con:
        con.execute("begin")
        for values in (wrong, *others):
            con.execute(f"insert into marts.model_monitoring values ({values})")
        con.execute("commit")
    try:
        draw(run, tmp_path / "page.html")
    finally:
        with duckdb.connect(run.settings.warehouse_file) as con:
            con.execute("delete from marts.model_monitoring where customers = 300 and measure = 'auc'")
    page = open_page(browser, tmp_path / "page.html", locale="en-GB")
    assert page.locator("#realised tbody tr").count() == 1
    assert "0.7" in page.inner_text("#realised tbody")
    assert f"the scores of {judged} sorted worse than expected" in page.inner_text("#realised")
    page.context.close()


def test_a_warning_of_the_monitoring_is_on_the_page(run, browser, tmp_path):
    row = run.measured.to_pylist()[0] | {"is_warning": True}
    warned = replace(run, measured=type(run.measured).from_pylist([row], schema=run.measured.schema))
    write_dashboard(warehouse(run), warned, tmp_path / "page.html")
    page = open_page(browser, tmp_path / "page.html")
    assert f"customers differ in {row['feature']}" in page.inner_text("#trust")
    page.context.close()


@pytest.fixture(scope="module")
def campaigns(run, tmp_path_factory):
    """The warehouse of the run, in a copy, with made-up campaigns in it."""
    folder = tmp_path_factory.mktemp("campaigns")
    shutil.copyfile(run.settings.warehouse_file, folder / "warehouse.duckdb")
    filled = DuckDBWarehouse(folder / "warehouse.duckdb", folder / "tmp")
    made_up.put_campaigns(filled, run.as_of.date)
    write_dashboard(filled, run, folder / "page.html")
    return filled, folder / "page.html"


@pytest.fixture
def campaign_page(campaigns, browser):
    page = open_page(browser, campaigns[1], locale="en-GB")
    yield page
    assert page.complaints == []
    page.context.close()


def row_of(page, name):
    named = page.locator("th").get_by_text(name, exact=True)
    return page.locator("#campaign-results tbody:not(.segments) tr", has=named)


def cells_of(page, name):
    return [" ".join(words.split()) for words in row_of(page, name).locator("td").all_inner_texts()]


def result_of(warehouse, name, segment="all"):
    [row] = warehouse.read(
        f"select * from marts.campaign_results where campaign = '{name}' and segment = '{segment}'"
    ).to_pylist()
    return row


def in_figures(words):
    """Every figure of "+3.3 helped +1.0 to +5.6"."""
    return [float(figure.replace(",", "")) for figure in re.findall(r"-?[\d,]*\d(?:\.\d+)?", words.replace("€", ""))]


def assert_it_is_the_marts(row, cells):
    for cell, count, rate in ((cells[0], "treated", "treated_rate"), (cells[1], "held_out", "held_out_rate")):
        assert in_figures(cell) == [row[count], pytest.approx(100 * row[rate], abs=0.051)]
    assert in_figures(cells[2]) == [row["contacted"]]
    lift = [100 * row[of] for of in ("lift", "lift_low", "lift_high")]
    assert in_figures(cells[4])[:3] == pytest.approx(lift, abs=0.051)
    per_buyer = [row["cost_per_additional_buyer"]] if row["lift_low"] > 0 else []
    assert in_figures(cells[4])[3:] == pytest.approx([row["additional_buyers"], *per_buyer], abs=0.51)
    money = ("profit", "profit_low", "profit_high", "incremental_revenue", "cost")
    assert in_figures(cells[6])[:5] == pytest.approx([row[of] for of in money], abs=0.51)
    assert in_figures(cells[6])[5] == pytest.approx(row["return_on_spend"], abs=0.0051)


def test_without_campaigns_the_page_says_nothing_of_them(run, page):
    assert packed_data(run.settings.dashboard_file)["campaigns"] == {
        "launched": 0, "newest": [], "together": None,
    }  # fmt: skip
    assert not page.locator("#promises").is_visible()
    assert not page.locator("#campaigns").is_visible()


def test_a_campaigns_figures_are_those_of_the_mart_with_a_verdict_in_words(campaigns, campaign_page):
    verdicts = {
        made_up.HELPED: ("helped", "paid for itself"),
        made_up.HARMED: ("did harm", "lost money"),  # by an interval whose end is shown as -0.04, not as 0
        made_up.NOT_SHOWN: ("not shown", "not shown"),  # an interval that ends at zero
        made_up.HOSTILE: ("not shown", "not shown"),
    }
    for name, phrases in verdicts.items():
        cells = cells_of(campaign_page, name)
        assert_it_is_the_marts(result_of(campaigns[0], name), cells)
        assert tuple(row_of(campaign_page, name).locator(".pill").all_inner_texts()) == phrases
    assert "-0.04" in cells_of(campaign_page, made_up.HARMED)[4]
    assert "chosen by the uplift model of earlier campaigns" in row_of(campaign_page, made_up.HELPED).inner_text()
    assert "chosen at random, to learn" in row_of(campaign_page, made_up.HARMED).inner_text()


def test_the_newest_campaign_is_first_and_none_is_of_later_than_the_page(campaigns, campaign_page):
    known = campaigns[0].read(
        f"select campaign from marts.campaigns where campaign <> '{made_up.LATER}' order by launched_on desc"
    )
    shown = campaign_page.locator("#campaign-results tbody:not(.segments) th").locator("b, button").all_inner_texts()
    assert shown == known.column(0).to_pylist()
    assert campaign_page.inner_text("#campaigns-more") == ""


def test_the_page_has_only_counts_of_a_running_campaign(run, campaigns, campaign_page):
    [campaign] = [row for row in packed_data(campaigns[1])["campaigns"]["newest"] if row["campaign"] == made_up.RUNNING]
    assert campaign["results"] == []
    assert not any(isinstance(value, float) for value in campaign.values())
    assert campaign["contacted"] == 5
    cells = cells_of(campaign_page, made_up.RUNNING)
    assert [number(cell) for cell in cells[:3]] == [500, 100, 5]
    until = run.as_of.date + timedelta(1)
    assert cells[3:] == [f"Figures are withheld until {until:%-d %b %Y}: looking early misleads."]


def test_a_campaign_without_results_says_why(run, campaign_page):
    assert cells_of(campaign_page, made_up.UNMEASURED)[3:] == [
        f"The window ended on {run.as_of.date:%-d %b %Y}; nothing has been measured yet."
    ]
    assert "There was no control group" in cells_of(campaign_page, made_up.WITHOUT_HOLDOUT)[3]


def test_a_draw_that_is_off_is_warned_of_and_gets_no_verdict(campaign_page):
    row = row_of(campaign_page, made_up.NOT_COMPARABLE)
    assert row.locator(".pill").all_inner_texts() == ["don't trust", "don't trust"]
    assert "Do not trust these figures" in row.locator("xpath=following-sibling::tr").inner_text()
    assert campaign_page.get_by_text("Do not trust these figures").count() == 1
    campaign_page.get_by_role("button", name=made_up.NOT_COMPARABLE).click()
    segments = campaign_page.locator("#campaign-results tbody.segments:visible .pill").all_inner_texts()
    assert set(segments) == {"don't trust"}


def test_a_campaigns_segments_open_and_close_with_the_keyboard(campaigns, campaign_page):
    assert campaign_page.locator("#campaign-results tbody.segments:visible").count() == 0
    button = campaign_page.get_by_role("button", name=made_up.HELPED)
    button.focus()
    campaign_page.keyboard.press("Enter")
    assert button.get_attribute("aria-expanded") == "true"
    opened = campaign_page.locator(f"#{button.get_attribute('aria-controls')}")
    assert opened.locator("th").all_inner_texts() == list(made_up.SEGMENTS)
    for n, segment in enumerate(made_up.SEGMENTS):
        cells = [" ".join(words.split()) for words in opened.locator("tr").nth(n).locator("td").all_inner_texts()]
        assert_it_is_the_marts(result_of(campaigns[0], made_up.HELPED, segment.replace("'", "''")), cells)
    campaign_page.get_by_role("button", name="Français").click()
    assert opened.locator("th").first.inner_text() == "À risque"
    button.focus()
    campaign_page.keyboard.press("Space")
    assert button.get_attribute("aria-expanded") == "false"
    assert not opened.is_visible()


def test_intervals_are_drawn_on_one_scale_with_zero(campaigns, campaign_page):
    def drawn(name):
        """Left end, point, right end and zero line, in pixels."""
        marks = row_of(campaign_page, name).locator(".forest").first.locator("i")
        line, span, point = marks.evaluate_all("all => all.map(mark => mark.getBoundingClientRect())")
        return [span["left"], point["left"] + point["width"] / 2, span["right"], line["left"] + line["width"] / 2]

    def scale():
        pixels, shares = [], []
        for name in (made_up.HELPED, made_up.HARMED, made_up.NOT_SHOWN):
            row = result_of(campaigns[0], name)
            pixels += drawn(name)
            shares += [row["lift_low"], row["lift"], row["lift_high"], 0]
        per_share, start = np.polyfit(shares, pixels, 1)
        assert pixels == pytest.approx([start + per_share * share for share in shares], abs=1.5)
        return per_share

    before = scale()
    campaign_page.get_by_role("button", name=made_up.HELPED).click()  # the intervals of segments are wider
    assert 0 < scale() < before


def test_what_others_have_named_is_text_and_not_markup(campaign_page):
    assert campaign_page.locator("#campaigns img").count() == 0
    assert row_of(campaign_page, made_up.HOSTILE).count() >= 1


def test_campaigns_are_shown_in_french(run, campaign_page):
    campaign_page.get_by_role("button", name="Français").click()
    cells = cells_of(campaign_page, made_up.HELPED)
    assert cells[4].startswith("+3,3 effet positif de +1,0 à +5,6 46 acheteurs supplémentaires")
    assert row_of(campaign_page, made_up.HARMED).locator(".pill").all_inner_texts() == ["effet négatif", "non rentable"]
    assert "Chiffres communiqués à partir du" in cells_of(campaign_page, made_up.RUNNING)[3]
    assert "Ne vous fiez pas" in campaign_page.inner_text("#campaign-results")


def test_the_offer_and_the_window_are_named(campaign_page):
    heading = row_of(campaign_page, made_up.HELPED).locator("th").inner_text()
    assert made_up.OFFER in heading
    assert "window of 30 days" in heading


def test_what_was_bought_afterwards_is_shown_once_it_is_known(campaign_page):
    assert "60 days after: -€40 (-€95 to €15)" in cells_of(campaign_page, made_up.NOT_SHOWN)[6].replace("−", "-")
    assert "days after" not in cells_of(campaign_page, made_up.HELPED)[6]


def test_what_all_campaigns_changed_together_is_shown_of_the_last_quarter(campaign_page):
    words = " ".join(campaign_page.inner_text("#campaigns-together").split()).replace("−", "-")
    assert words.startswith("All 7 campaigns together")
    assert "+3.0 more bought than of the 250 who never are (+1.0 to +5.0, 95% interval)" in words
    assert "€6,750 of revenue with 4,500 customers (-€2,250 to €15,750), for €1,680" in words


def test_what_came_of_the_last_promises_is_the_first_thing_on_the_page(campaign_page):
    assert campaign_page.locator("main > *").first.get_attribute("id") == "promises"
    assert " ".join(campaign_page.inner_text("#promises").split()) == (
        "Profit of campaigns, last 4: on average 20% too high (promised €480, came €400)."
        " Forecasts of spend, last 1: on average 5% too low (promised €950, came €1,000). No filter changes this."
    )


def test_no_filter_changes_what_campaigns_did(campaign_page):
    before = campaign_page.inner_text("#campaigns")
    press(campaign_page, "segments", "Champions")
    assert campaign_page.inner_text("#campaigns") == before


def test_older_campaigns_are_counted_and_not_listed(run, campaigns, browser, tmp_path):
    shutil.copyfile(campaigns[1].with_name("warehouse.duckdb"), tmp_path / "warehouse.duckdb")
    filled = DuckDBWarehouse(tmp_path / "warehouse.duckdb", tmp_path)
    made_up.put_old_campaigns(filled, run.as_of.date, 30)
    write_dashboard(filled, run, tmp_path / "page.html")
    page = open_page(browser, tmp_path / "page.html", locale="en-GB")
    assert page.locator("#campaign-results tbody:not(.segments)").count() == MAX_SHOWN
    assert row_of(page, made_up.HOSTILE).count() == row_of(page, "old-3").count() == 1
    assert row_of(page, "old-4").count() == 0
    assert page.inner_text("#campaigns-more") == f"Earlier campaigns, not shown: {8 + 30 - MAX_SHOWN}."
    page.context.close()


def test_amounts_are_in_the_currency_of_the_campaign_and_only_the_shops_are_drawn(run, campaigns, browser, tmp_path):
    page_of_dollars = replace(run, as_of=replace(run.as_of, currency="USD"))
    write_dashboard(campaigns[0], page_of_dollars, tmp_path / "page.html")
    page = open_page(browser, tmp_path / "page.html", locale="en-GB")
    assert page.complaints == []
    assert cells_of(page, made_up.HELPED)[6].startswith("€1,234")
    assert row_of(page, made_up.HELPED).locator(".forest").count() == 1  # of lift
    page.context.close()


def test_a_figure_that_nobody_knows_is_not_drawn(run, campaigns, browser, tmp_path):
    shutil.copyfile(campaigns[1].with_name("warehouse.duckdb"), tmp_path / "warehouse.duckdb")
    filled = DuckDBWarehouse(tmp_path / "warehouse.duckdb", tmp_path)
    unknown = "lift_low = null, lift_high = 'infinity', profit = 'nan', held_out_rate = null"
    filled.change("-", [f"update marts.campaign_results set {unknown} where campaign = '{made_up.HELPED}'"])
    write_dashboard(filled, run, tmp_path / "page.html")
    page = open_page(browser, tmp_path / "page.html", locale="en-GB")
    assert page.complaints == []
    cells = cells_of(page, made_up.HELPED)
    assert cells[4] == "+3.3 not known 46 additional buyers"
    assert cells[6].startswith("– not known incremental revenue")
    assert "cost €240" in cells[6]
    assert row_of(page, made_up.HELPED).locator(".forest").count() == 0
    page.context.close()


def test_the_foot_says_who_scored(run, page):
    assert run.model.version in page.inner_text("footer")


def test_what_was_read_is_shown_by_month_and_what_was_rejected_by_reason(run, page):
    receipt = run.receipt
    months = page.locator("#receipt-months tbody tr").all_inner_texts()
    assert len(months) == 1 + len(receipt.months)
    _, orders, *money = months[1].split("\t")
    assert number(orders) == receipt.months[-1].orders
    assert [number(amount) for amount in money] == pytest.approx(
        [receipt.months[-1].gross, receipt.months[-1].refunds, receipt.months[-1].net], abs=1
    )
    rejected = page.inner_text("#receipt-rejections")
    for row in receipt.rejections:
        assert row.reason in rejected
        assert f"{row.rows:,}" in rejected
    assert f"{receipt.totals[0].orders:,} orders of {receipt.totals[0].customers:,} customers" in page.inner_text(
        "#receipt"
    )


def test_the_page_is_small_and_asks_nobody_for_anything(run):
    text = run.settings.dashboard_file.read_text()
    outside = set(re.findall(r"""(?:src|href)=["'](?!#|data:)([^"']+)|@import|url\((?!#)""", text))
    assert outside == {run.settings.contacts_file.name}  # a link, which is followed when it is clicked
    assert len(text) < 1_000_000


def test_the_report_of_the_model_is_self_contained_and_shows_every_picture(run, browser):
    file = Path(run.settings.model_store) / run.model.version / "report.html"
    text = file.read_text()
    assert not re.search(r"""(src|href)=["'](?!#|data:)|@import|url\((?!#)""", text)
    assert len(text) < 1_000_000
    page = open_page(browser, file)
    assert page.complaints == []
    assert page.locator("svg").count() == 6
    headings = page.locator("h2").all_inner_texts()
    for heading in (
        "Predicted and observed",
        "Lift",
        "Over time",
        "Importance of features",
        "Who is missed",
        "Use and limits",
    ):
        assert heading in headings
    assert len(page.screenshot()) > 60_000
    page.context.close()
