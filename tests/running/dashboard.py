"""The page of a run: drawn again, and pressed."""

import re
from dataclasses import replace
from pathlib import Path

from flows.adapters.dashboard.page import write_dashboard
from flows.adapters.duckdb.warehouse import DuckDBWarehouse

CUSTOMERS = "marts.marketing_customers"


def with_currency(words):
    """A sentence of the warehouse about euros as the page writes it."""
    words = re.sub(r"([\d.,]+) EUR", r"€\1", words)
    return re.sub(r"spent ([\d,]+) so far, ([\d,]+) an order", r"spent €\1 so far, €\2 an order", words)


def warehouse(report):
    return DuckDBWarehouse(report.settings.warehouse_file, report.settings.scratch)


def draw(report, file, **settings):
    write_dashboard(
        warehouse(report), replace(report, settings=report.settings.model_copy(update=settings)), Path(file)
    )


def press(page, place, name):
    page.locator(f"#{place}").get_by_role("button", name=name).first.click()
