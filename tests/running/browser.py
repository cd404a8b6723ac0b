"""The pages of the project in headless Chromium, the system's own, and their content."""

import base64
import gzip
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

# none of the lookups that a browser makes on its own
_QUIET = (
    "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--hide-scrollbars",
)  # fmt: skip


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("google-chrome")


@contextmanager
def headless_chromium() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        raise FileNotFoundError("chromium is not installed (Debian package chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*_QUIET], chromium_sandbox=False)
        yield browser
        browser.close()


def open_page(browser: Browser, file: Path, width: int = 1280, height: int = 900, **context: Any) -> Page:
    """The page once it is drawn, in a context of its own, without a network. Its `complaints`, a list, hold what it
    wrote to the console and requested beyond the page itself."""
    page = browser.new_context(viewport={"width": width, "height": height}, offline=True, **context).new_page()
    page.complaints = []  # type: ignore[attr-defined]
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda request: page.complaints.append(request.url) if request.url != file.as_uri() else None)
    page.goto(file.as_uri())
    if "data-ready" in file.read_text():
        page.wait_for_selector("body[data-ready]")
    return page


def violations(page: Page) -> list[str]:
    """What the page breaks of axe-core's rules of accessibility, as it is at the moment."""
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]


def packed_data(file: Path) -> dict[str, Any]:
    """What the dashboard has in it."""
    found = re.search(r'id="data">(.+?)</script>', file.read_text())
    assert found, f"{file} has no data in it"
    data: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(found[1])))
    return data
