"""Views with a name: kept in the browser, without anybody's data."""

import json

import pytest

from tests.running.browser import chromium, open_page
from tests.running.dashboard import press

pytestmark = [
    pytest.mark.whole_run,
    pytest.mark.skipif(chromium() is None, reason="needs chromium (Debian package chromium)"),
]


def save(page, name):
    page.locator("#views summary").click()
    page.fill("#view-name", name)
    page.keyboard.press("Enter")


def names(page):
    return page.locator("#views-list button:not(.remove)").all_inner_texts()


def test_a_view_is_saved_opened_after_a_new_start_and_removed(run, page):
    press(page, "segments", "Loyal")
    press(page, "measures", "Expected loss")
    shown, address = page.inner_text("#how-many"), page.url
    save(page, "Loyal, at stake")
    page.locator("#views summary").click()
    page.click("#reset")
    press(page, "measures", "Customers")
    save(page, "everybody")
    assert names(page) == ["everybody", "Loyal, at stake"]
    page.goto(run.settings.dashboard_file.as_uri())
    page.wait_for_selector("body[data-ready]")
    page.locator("#views summary").click()
    page.locator("#views-list").get_by_role("button", name="Loyal, at stake", exact=True).click()
    assert (page.inner_text("#how-many"), page.url) == (shown, address)
    page.go_back()
    assert page.inner_text("#how-many") != shown
    page.locator("#views summary").click()
    page.get_by_role("button", name="Remove Loyal, at stake").click()
    assert names(page) == ["everybody"]


def test_a_view_keeps_no_customer_and_is_text(page):
    page.fill("#find", "c")
    page.locator("#found button").first.click()
    page.wait_for_selector("#drawer[open]")
    page.evaluate("keepViews({ '<img src=x onerror=alert(1)>': viewInAddress({ withCustomer: false }) })")
    assert json.loads(page.evaluate("localStorage['churn.views']")) == {"<img src=x onerror=alert(1)>": ""}
    assert "customer=" in page.url
    page.keyboard.press("Escape")
    page.locator("#views summary").click()
    assert names(page) == ["<img src=x onerror=alert(1)>"]
    assert page.locator("#views img").count() == 0


@pytest.mark.parametrize("stored", ["{", "[1]", "null", '"x"'])
def test_what_something_else_has_stored_is_not_a_view(page, stored):
    page.evaluate("stored => { localStorage['churn.views'] = stored; listViews(); }", stored)
    assert names(page) == []


def test_a_browser_that_keeps_nothing_says_so(run, browser):
    page = open_page(browser, run.settings.dashboard_file, locale="en-GB")
    page.evaluate("Object.defineProperty(window, 'localStorage', { get() { throw new Error('not allowed'); } })")
    save(page, "any")
    assert "does not keep anything" in page.inner_text("#views-note")
    page.context.close()
