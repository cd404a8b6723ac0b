"""The page, as a browser shows it."""

import re
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from flows.adapters.dashboard import write_dashboard
from flows.adapters.duckdb_warehouse import DuckDBWarehouse
from flows.money import money
from tests.screenshots import _QUIET, chromium, photograph

pytestmark = [
    pytest.mark.whole_run,
    pytest.mark.skipif(chromium() is None, reason="needs chromium (Debian package chromium)"),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory, run_pipeline):
    data_dir = tmp_path_factory.mktemp("dashboard")
    return data_dir / "dashboard.html", run_pipeline(data_dir, customers=300)


def shown(page):
    with tempfile.TemporaryDirectory() as profile:
        browser = subprocess.run(
            [chromium(), *_QUIET, f"--user-data-dir={profile}", "--enable-logging=stderr", "--dump-dom", page.as_uri()],
            check=True, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    return browser.stdout, browser.stderr


def test_the_page_shows_the_figures_of_the_run(run):
    page, report = run
    dom, log = shown(page)
    assert "CONSOLE" not in log
    assert f"<b>{report.customers:,}</b>" in dom
    for row in report.segments.to_pylist():
        assert row["segment"].replace("'", "&#39;") in dom or row["segment"] in dom
    for row in report.most_at_stake.to_pylist():
        assert row["customer_id"] in dom
    for row in report.set_aside.to_pylist():
        assert f"{row['rows']:,} rows set aside: {row['reason']}" in dom


def test_the_page_says_why_and_what_to_expect(run):
    page, report = run
    dom, _ = shown(page)
    for row in report.most_at_stake.to_pylist():
        assert row["reason_1"] in dom
        assert money(row["expected_spend"], report.as_of.currency) in dom


def test_a_warning_of_the_monitoring_is_on_the_page(run, tmp_path):
    page, report = run
    assert "What the model meets" not in page.read_text()
    row = report.measured.to_pylist()[0] | {"is_warning": True}
    warned = replace(report, measured=pa.Table.from_pylist([row], schema=report.measured.schema))
    write_dashboard(DuckDBWarehouse(report.settings.warehouse_file, tmp_path), warned, tmp_path / "page.html")
    assert f"customers differ in {row['feature']}" in shown(tmp_path / "page.html")[0]


def test_the_report_of_the_model_stands_alone_and_shows_every_picture(run, tmp_path):
    _, report = run
    page = Path(report.settings.models_location) / report.model.version / "report.html"
    text = page.read_text()
    assert not re.search(r"""(src|href)=["'](?!#|data:)|@import|url\((?!#)""", text)
    assert len(text) < 1_000_000
    dom, log = shown(page)
    assert "CONSOLE" not in log
    assert dom.count("<svg") == 6
    for heading in ("Said and happened", "Lift", "Over time", "What it goes by", "Who is missed", "Use and limits"):
        assert f"<h2>{heading}</h2>" in dom
    photograph(page, tmp_path / "report.png")
    assert (tmp_path / "report.png").stat().st_size > 60_000


def test_the_page_asks_nobody_for_anything(run):
    page, _ = run
    text = page.read_text()
    assert not re.search(r"""(src|href)=["'](?!#|data:)|@import|url\((?!#)""", text)
    assert len(text) < 1_000_000


def test_a_picture_of_the_page_is_not_blank(run, tmp_path):
    page, _ = run
    photograph(page, tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 60_000
