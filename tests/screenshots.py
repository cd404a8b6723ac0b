"""`make screenshots`: the page of the last run and the report of its model, as headless Chromium shows them."""

import sys

from flows.adapters.models.registry import ModelRegistry
from flows.settings import REPOSITORY, Settings, read_settings
from tests.running.browser import headless_chromium, open_page

PICTURES = REPOSITORY / "tableau" / "screenshots"

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
            page.locator("#campaigns").screenshot(path=REPOSITORY / "docs" / "campaigns" / "after_the_second.png")
        report = open_page(browser, models.local_folder(champion.version) / "report.html", width=1100, height=2600)
        report.screenshot(path=PICTURES / "model_report.png")
    sys.stdout.write(f"drew the pictures in {PICTURES.relative_to(REPOSITORY)}\n")
