"""`make screenshots`: the page of the last run, the report of its model, the page for campaigns by hand and what the
workbook holds, in Chromium."""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.adapters.marts.campaign_tables import read_definitions
from flows.adapters.models.registry import ModelRegistry
from flows.adapters.tableau.translation import french_name, in_french
from flows.adapters.tableau.workbook import WORKBOOK
from flows.settings import REPOSITORY, Settings, read_settings
from tests.running.browser import Browser, headless_chromium, open_page
from tests.running.processes import flows, free_port, wait_for_port
from tests.workbook.answers import Queries, hyperd
from tests.workbook.document import Workbook
from tests.workbook.picture import page as picture_of

PICTURES, CAMPAIGNS = REPOSITORY / "tableau" / "screenshots", REPOSITORY / "docs" / "campaigns"


def draw_campaigns_by_hand(browser: Browser, settings: Settings) -> None:
    """The form of the first campaign of docs/campaigns.md, with what it would do in the shop of the last run."""
    with TemporaryDirectory() as folder:
        shutil.copy2(CAMPAIGNS / "learn.yml", folder)
        file, port = Path(folder) / "learn.yml", free_port()
        # by another name, in case that it was launched here
        file.write_text(file.read_text(encoding="utf-8").replace("learn-january", "learn"), encoding="utf-8")
        with flows("serve", settings.data_dir, PORT=str(port), CAMPAIGN_FILES=folder) as server:
            wait_for_port(port, server)
            for locale, picture in (("en-GB", "campaigns/by_hand.png"), ("fr-FR", "fr/campagne_a_la_main.png")):
                page = browser.new_page(viewport={"width": 1240, "height": 1010}, locale=locale)
                page.goto(f"http://127.0.0.1:{port}/campaigns/file/learn.yml")
                page.wait_for_selector("#detectable")
                page.screenshot(path=REPOSITORY / "docs" / picture)


def draw_workbook(browser: Browser, settings: Settings) -> None:
    """Pages of the workbook with the last run's extract, from its own layout, and one of them in French."""
    english = WORKBOOK.read_bytes()
    with hyperd() as process:
        warehouse = DuckDBWarehouse(settings.warehouse_file, settings.scratch)
        french = in_french(english, read_definitions(warehouse))
        queried = Queries(process, settings.data_dir / "marketing.hyper", warehouse)
        for text, name, picture in (
            (english, "Overview", "overview"),
            (english, "Risk list", "risk_list"),
            (french, french_name("Risk list"), "risk_list_fr"),
        ):
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            page.set_content(picture_of(Workbook(text), name, queried.of_the_extract))
            page.screenshot(path=PICTURES / f"workbook_{picture}.png")
        queried.close()


if __name__ == "__main__":
    PICTURES.mkdir(parents=True, exist_ok=True)
    settings = read_settings(Settings)
    models = ModelRegistry(settings.model_store, settings.models_cache)
    champion = models.champion()
    assert champion is not None, "no model has been trained: run `make run`"
    with headless_chromium() as browser:
        page = open_page(browser, settings.dashboard_file, height=1500, locale="en-GB")
        page.get_by_role("button", name="Champions", exact=True).first.click()
        page.screenshot(path=PICTURES / "dashboard_filtered.png")
        dark = open_page(browser, settings.dashboard_file, height=1500, locale="fr-FR", color_scheme="dark")
        dark.locator("#movement").scroll_into_view_if_needed()
        dark.screenshot(path=PICTURES / "dashboard_dark_fr.png")
        if page.locator("#campaigns").is_visible():  # of the shop of docs/campaigns.md
            page.locator("#campaigns button").first.click()
            page.locator("#campaigns").screenshot(path=CAMPAIGNS / "after_the_second.png")
        draw_campaigns_by_hand(browser, settings)
        report = open_page(browser, models.local_folder(champion.version) / "report.html", width=1100, height=2600)
        report.screenshot(path=PICTURES / "model_report.png")
        draw_workbook(browser, settings)
    sys.stdout.write(f"drew the pictures in {PICTURES.relative_to(REPOSITORY)}\n")
