"""A run of a strange little shop, and its page in a browser."""

import duckdb
import pytest

from flows.adapters.dashboard.contact_list import write_contact_list
from tests.running.browser import headless_chromium, open_page
from tests.running.dashboard import CUSTOMERS, draw, warehouse


@pytest.fixture(scope="session")
def run(tmp_path_factory, run_pipeline):
    """A run whose customers have addresses, strange ids, and some who may not be written to; and its page."""
    report = run_pipeline(tmp_path_factory.mktemp("dashboard"), customers=400)
    settings = report.settings
    with duckdb.connect(settings.warehouse_file) as con:
        con.execute(f"update {CUSTOMERS} set email = lower(customer_id) || '@example.com'")
        con.execute(f"update {CUSTOMERS} set may_be_contacted = false where hash(customer_id) % 5 = 0")
        con.execute(
            f"""update {CUSTOMERS} set customer_id = case position
                when 1 then '<img src=x onerror=alert(1)>' when 2 then '=1+1' when 3 then 'someone@example.org'
                else customer_id end
            from (
                select customer_id as id, row_number() over (order by queue_value desc) as position from {CUSTOMERS}
                where may_be_contacted and queue = 'keep'
            ) where customer_id = id"""
        )
    draw(report, settings.dashboard_file)
    write_contact_list(warehouse(report), settings.contacts_file, show_pii=False)
    return report


@pytest.fixture(scope="module")  # for a session, Playwright's loop would run beside the tests of other files
def browser():
    with headless_chromium() as browser:
        yield browser


@pytest.fixture
def page(run, browser):
    page = open_page(browser, run.settings.dashboard_file, locale="en-GB")
    yield page
    assert page.complaints == []
    page.context.close()
