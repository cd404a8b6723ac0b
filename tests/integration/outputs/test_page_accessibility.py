"""The page by axe-core's rules, in each state that a reader can bring it to."""

import shutil
from dataclasses import replace

import pytest

from flows.adapters.dashboard.page import write_dashboard
from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from tests.examples.campaigns import put_campaigns
from tests.running.browser import chromium, open_page, violations

pytestmark = [
    pytest.mark.whole_run,
    pytest.mark.skipif(chromium() is None, reason="needs chromium (Debian package chromium)"),
]
STATES = {
    "light": {"locale": "en-GB"},
    "dark and French": {"locale": "fr-FR", "color_scheme": "dark"},
    "phone": {"locale": "en-GB", "width": 390, "height": 844},
    "small phone, dark": {"locale": "fr-FR", "width": 320, "height": 640, "color_scheme": "dark"},
}


@pytest.mark.parametrize("state", STATES)
def test_no_rule_of_axe_core_is_violated(run, browser, state):
    page = open_page(browser, run.settings.dashboard_file, **STATES[state])
    assert violations(page) == []
    page.fill("#find", "c00")
    page.wait_for_selector("#found button")
    assert violations(page) == []
    page.locator("#found button").first.click()
    page.wait_for_selector("#drawer[open]")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.locator("#over-time summary").click()
    page.locator("#views summary").click()
    page.locator("#segments button.mark").first.click()
    assert violations(page) == []
    page.context.close()


def test_none_is_violated_with_campaigns_either_nor_without_scores(run, browser, tmp_path):
    shutil.copy(run.settings.warehouse_file, tmp_path / "copy.duckdb")
    copy = DuckDBWarehouse(tmp_path / "copy.duckdb", tmp_path)
    put_campaigns(copy, run.as_of.date)
    for report in (run, replace(run, model=None, why_no_model="There are too few customers.")):
        write_dashboard(copy, report, tmp_path / "page.html")
        page = open_page(browser, tmp_path / "page.html", locale="en-GB")
        page.locator("#campaigns button").first.click()
        assert violations(page) == []
        page.context.close()
