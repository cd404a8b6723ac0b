"""Words of the page: what is shown, in which unit, and what a click does not filter."""

import re

import pytest

from tests.running.browser import chromium
from tests.running.dashboard import press

pytestmark = [
    pytest.mark.whole_run,
    pytest.mark.skipif(chromium() is None, reason="needs chromium (Debian package chromium)"),
]


def test_a_picture_names_the_measure_that_it_shows(page):
    titles = page.locator("section:visible .of-measure")
    assert set(titles.all_inner_texts()) == {"· Customers"}
    press(page, "measures", "Expected loss")
    assert set(titles.all_inner_texts()) == {"· Expected loss"}
    assert titles.count() == 6
    page.click("#language")
    assert set(titles.all_inner_texts()) == {"· CA menacé"}


def test_columns_have_an_axis_in_the_measures_unit(page):
    highest, half, lowest = page.locator("#churn .scale span").all_inner_texts()
    labels = page.locator("#churn button.mark").evaluate_all("all => all.map(of => of.ariaLabel)")
    counts = [int(re.sub(r"\D", "", label.rpartition(":")[2])) for label in labels]
    assert int(highest.replace(",", "")) == max(counts)
    assert abs(int(half.replace(",", "")) - max(counts) / 2) <= 0.5
    assert lowest == "0"
    press(page, "measures", "Expected spend")
    assert page.locator("#churn .scale span").first.inner_text().startswith("€")


def test_amounts_in_sentences_have_the_currency_and_separators_of_the_language(page):
    written = "lower risk: spent 12,345 so far, 129 an order"
    assert page.evaluate("phrase", written) == "lower risk: spent €12,345 so far, €129 an order"
    page.click("#language")
    french = page.evaluate("phrase", written)
    assert french == "risque plus faible\u202f: 12\u202f345\u00a0€ dépensés à ce jour, 129\u00a0€ par commande"
    why = page.evaluate("phrase", "gone: only order 300 days ago; 1.12 EUR more could be won if they came back")
    assert "1,12\u00a0€" in why


def test_what_no_filter_changes_says_so(page):
    for place in ("#forecast", "#trust-note"):
        assert page.inner_text(place).endswith("No filter changes this.")
