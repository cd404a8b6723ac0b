"""The page without a mouse, without its colours, and for eyes that need contrast."""

import re

import pytest

from tests.running.browser import chromium, open_page

pytestmark = [
    pytest.mark.whole_run,
    pytest.mark.skipif(chromium() is None, reason="needs chromium (Debian package chromium)"),
]
PICTURES = ("segments", "lifecycle", "rfm", "churn", "movement", "disagreement", "country", "channel", "retention")
_FOCUSED = """() => {
    const of = document.activeElement, box = of.getBoundingClientRect(), bar = document.getElementById("filters");
    const { top, bottom } = bar.getBoundingClientRect();
    return { tag: of.tagName, name: of.getAttribute("aria-label") || of.textContent, place: of.closest("[id]")?.id,
        isCovered: !bar.contains(of) && box.top < bottom - 1 && box.bottom > top + 1, isSeen: box.bottom > 0 };
}"""


def tab_stops(page, key="Tab"):
    """What has the focus, one after the other, until it leaves the page."""
    page.focus({"Tab": ".skip", "Shift+Tab": "#receipt-months"}[key])
    stops = []
    for _ in range(300):
        stop = page.evaluate(_FOCUSED)
        if stop["tag"] == "BODY":
            return stops
        stops.append(stop)
        page.keyboard.press(key)
    raise AssertionError("the focus never leaves the page")


def test_each_picture_is_one_tab_stop(page):
    stops = [stop["place"] for stop in tab_stops(page)]
    assert [stops.count(place) for place in PICTURES] == [1] * len(PICTURES)
    assert len(stops) < 60
    titles = page.locator("[role=grid], [role=toolbar]").evaluate_all("all => all.map(of => of.ariaLabel)")
    assert len(set(titles)) == len(PICTURES) + 1  # and the list


def test_nothing_that_has_the_focus_is_under_the_bar_of_filters(page):
    for key in ("Tab", "Shift+Tab"):
        stops = tab_stops(page, key)
        assert len(stops) > 30
        assert [stop for stop in stops if stop["isCovered"] or not stop["isSeen"]] == []


def test_arrows_lead_through_a_grid_and_tab_out_of_it_and_back_to_where_one_was(page):
    def focused():
        return page.evaluate("document.activeElement.ariaLabel?.split(',').slice(0, 2).join()")

    page.locator("#rfm button.mark").first.focus()
    steps = (
        ("ArrowRight", 5, 2), ("ArrowDown", 4, 2), ("End", 4, 5), ("ArrowRight", 4, 5),
        ("ArrowUp", 5, 5), ("Home", 5, 1), ("ArrowUp", 5, 1), ("ArrowDown", 4, 1),
    )  # fmt: skip
    for key, recency, frequency in steps:
        page.keyboard.press(key)
        assert focused() == f"recency {recency}, frequency {frequency}"
    page.keyboard.press("Enter")
    assert page.url.endswith("#r_f=4+1")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#rfm')") is None
    page.keyboard.press("Shift+Tab")
    assert focused() == "recency 4, frequency 1"


def test_a_picture_stays_within_reach_when_the_row_of_its_stop_is_gone(page):
    page.locator("#country button.mark").first.focus()
    page.evaluate("document.querySelector('#country tr').hidden = true; draw()")
    assert "country" in [stop["place"] for stop in tab_stops(page)]


def test_two_links_skip_to_the_figures_and_to_the_list_and_keep_the_view(page):
    page.locator("#segments button.mark").first.click()
    address = page.url
    for n, place in enumerate(("figures", "list-title")):
        page.evaluate("scrollTo(0, 0)")
        link = page.locator(".skip").nth(n)
        link.focus()
        assert link.bounding_box()["y"] >= 0  # it is shown while it has the focus
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == place
    assert page.url == address


def test_marks_are_seen_in_forced_colours(run, browser):
    page = open_page(browser, run.settings.dashboard_file, locale="en-GB", forced_colors="active")
    canvas = page.evaluate("getComputedStyle(document.body).backgroundColor")
    for place in ("#segments .track i", "#churn .mark i", "#country .track i"):
        colour = page.locator(place).first.evaluate("of => getComputedStyle(of).backgroundColor")
        assert colour not in (canvas, "rgba(0, 0, 0, 0)")
    mark = page.locator("#segments button.mark").first
    mark.click()
    assert mark.evaluate("of => getComputedStyle(of).outlineStyle") != "none"
    page.context.close()


def luminance(colour):
    channels = [float(part) / 255 for part in re.findall(r"[\d.]+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_bars_and_words_stand_out_from_what_is_behind_them(run, browser, scheme):
    page = open_page(browser, run.settings.dashboard_file, locale="en-GB", color_scheme=scheme)
    of = "(of, name) => getComputedStyle(of)[name]"
    paper = page.locator("section").first.evaluate(of, "backgroundColor")
    bars = [page.locator("#segments .track i").nth(n).evaluate(of, "backgroundColor") for n in (0, 2)]
    bars += page.locator("#churn .mark i").evaluate_all("all => all.map(of => getComputedStyle(of).backgroundColor)")
    words = [page.locator(place).first.evaluate(of, "color") for place in ("h2", "section p", ".pill", "#list th")]
    assert min(contrast(colour, paper) for colour in bars) >= 3
    assert min(contrast(colour, paper) for colour in words) >= 4.5
    page.context.close()
