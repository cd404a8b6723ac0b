"""`make screenshots`: the page of the last run and the report of its model, as headless Chromium shows them."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from flows.adapters.model_registry import ModelRegistry
from flows.settings import REPOSITORY, read_settings

PICTURES = REPOSITORY / "tableau" / "screenshots"
# no sandbox, for containers; none of the lookups that a browser makes on its own
_QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("google-chrome")


def photograph(page: Path, picture: Path, width: int = 1200, height: int = 1500) -> None:
    """A PNG of the top of a page."""
    browser = chromium()
    if browser is None:
        raise FileNotFoundError("chromium is not installed (Debian package chromium)")
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [browser, *_QUIET, f"--user-data-dir={profile}", f"--window-size={width},{height}",
             f"--screenshot={picture}", page.as_uri()],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip


if __name__ == "__main__":
    PICTURES.mkdir(parents=True, exist_ok=True)
    settings = read_settings()
    photograph(settings.data_dir / "dashboard.html", PICTURES / "dashboard.png")
    models = ModelRegistry(settings.models_location, settings.models_cache)
    champion = models.champion()
    assert champion is not None, "no model has been trained: run `make run`"
    report = models.local_folder(champion.version) / "report.html"
    photograph(report, PICTURES / "model_report.png", width=1100, height=2600)
    sys.stdout.write(f"wrote {PICTURES.relative_to(REPOSITORY)}/dashboard.png and model_report.png\n")
