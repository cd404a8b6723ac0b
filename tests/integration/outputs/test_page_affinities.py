"""The section on what customers buy: what goes with leaving and coming back, and who buys at a discount."""

import shutil

import duckdb
import pytest

from flows.adapters.dashboard.page import write_dashboard
from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from tests.running.browser import chromium, open_page, violations

pytestmark = [
    pytest.mark.whole_run,
    pytest.mark.skipif(chromium() is None, reason="needs chromium (Debian package chromium)"),
]


@pytest.fixture
def open_with(run, browser, tmp_path):
    """open_with(rows, **context): the page where the mart has these rows of measure, kind, name, customers, share,
    share_of_shop and is_clear."""

    def opened(rows, **context):
        shutil.copy(run.settings.warehouse_file, tmp_path / "copy.duckdb")
        with duckdb.connect(tmp_path / "copy.duckdb") as con:
            con.execute("delete from marts.segment_affinities")
            for position, row in enumerate(rows):
                con.execute(
                    "insert into marts.segment_affinities values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now())",
                    [run.as_of.date, *row, position],
                )
        write_dashboard(DuckDBWarehouse(tmp_path / "copy.duckdb", tmp_path), run, tmp_path / "page.html")
        return open_page(browser, tmp_path / "page.html", **context)

    return opened


def test_only_what_chance_hardly_explains_is_shown_and_every_segments_discount(open_with):
    page = open_with(
        [
            ("last_bought_by_leavers", "category", "gift cards", 40, 0.25, 0.05, True),
            ("last_bought_by_leavers", "category", "coffee", 41, 0.26, 0.24, False),
            ("brings_back", "category", "coffee", 41, 0.26, 0.24, False),
            ("bought_at_a_discount", "segment", "At risk", 90, 0.4, 0.1, None),
        ],
        locale="fr-FR",
        width=390,
        height=844,
    )
    section = page.locator("#bought")
    shown = section.inner_text().replace("\u202f", " ").replace("\xa0", " ")
    assert "gift cards" in shown
    assert "25,0 %" in shown
    assert "coffee" not in shown
    assert "Rien ne s’écarte" in shown
    assert "À risque" in shown
    assert "40,0 %" in shown
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert violations(page) == []
    assert page.complaints == []
    page.context.close()


def test_a_shop_whose_orders_name_neither_products_nor_discounts_has_no_such_section(open_with):
    page = open_with([], locale="en-GB")
    assert page.locator("#bought").is_hidden()
    page.context.close()
