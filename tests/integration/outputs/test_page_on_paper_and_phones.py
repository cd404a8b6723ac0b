"""Boxes of the page on small screens and on paper: nothing lies on something else, and nothing is cut."""

import pytest

from tests.running.browser import chromium, open_page

pytestmark = [
    pytest.mark.whole_run,
    pytest.mark.skipif(chromium() is None, reason="needs chromium (Debian package chromium)"),
]
A4 = {"width": 718, "height": 1047}  # CSS pixels of a sheet within margins of a centimetre

# every line of text that can be seen, cut to what its scrolling ancestors show of it
_LINES = """() => {
    const lines = [], words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let n = 0, node = words.nextNode(); node; n++, node = words.nextNode()) {
        if (!node.textContent.trim() || node.parentElement.closest("svg, script, style, select")) continue;
        if (!node.parentElement.checkVisibility()) continue; // in a table that is folded up
        const shown = { left: -1e9, top: -1e9, right: 1e9, bottom: 1e9 };
        const cut = (box) => { for (const side of ["left", "top"]) shown[side] = Math.max(shown[side], box[side]);
            for (const side of ["right", "bottom"]) shown[side] = Math.min(shown[side], box[side]); };
        for (let of = node.parentElement; of !== document.body; of = of.parentElement)
            if (getComputedStyle(of).overflowX !== "visible") cut(of.getBoundingClientRect());
        const range = document.createRange();
        range.selectNodeContents(node);
        for (const box of range.getClientRects()) {
            const [left, right] = [Math.max(box.left, shown.left), Math.min(box.right, shown.right)];
            const [top, bottom] = [Math.max(box.top, shown.top), Math.min(box.bottom, shown.bottom)];
            const isSeen = right - left > 1 && bottom - top > 1;
            if (isSeen) lines.push({ left, right, top, bottom, text: node.textContent, node: n });
        }
    }
    return lines;
}"""


def lines_of(page):
    lines = page.evaluate(_LINES)
    assert len(lines) > 300
    return lines


def overlaps(lines):
    """Pairs of texts whose lines share more than their edges."""
    lines = sorted(lines, key=lambda line: line["top"])
    for n, one in enumerate(lines):
        for other in lines[n + 1 :]:
            if other["top"] > one["bottom"] - 4:
                break
            width = min(one["right"], other["right"]) - max(one["left"], other["left"])
            height = min(one["bottom"], other["bottom"]) - other["top"]
            if one["node"] != other["node"] and width > 2 and height > 4:
                yield one["text"], other["text"]


@pytest.mark.parametrize("locale", ["en-GB", "fr-FR"])
@pytest.mark.parametrize("width", [390, 320])
def test_on_a_phone_nothing_overlaps_and_the_page_does_not_scroll_sideways(run, browser, width, locale):
    phone = open_page(browser, run.settings.dashboard_file, width=width, height=844, locale=locale)
    assert phone.evaluate("document.documentElement.scrollWidth") == width
    lines = lines_of(phone)
    assert list(overlaps(lines)) == []
    assert [line["text"] for line in lines if line["left"] < 0 or line["right"] > width + 1] == []
    phone.context.close()


@pytest.mark.parametrize("locale", ["en-GB", "fr-FR"])
def test_a_sheet_of_paper_shows_every_column(run, browser, locale):
    page = open_page(browser, run.settings.dashboard_file, locale=locale)
    page.locator("#lifecycle button.mark").nth(3).click()  # slipping: the queue "keep" has them
    page.emulate_media(media="print")
    page.set_viewport_size(A4)
    assert page.evaluate("document.documentElement.scrollWidth") == A4["width"]
    lines = lines_of(page)
    assert list(overlaps(lines)) == []
    assert [line["text"] for line in lines if line["left"] < 0 or line["right"] > A4["width"] + 1] == []
    scrolling = "all => all.filter(of => getComputedStyle(of).overflowX !== 'visible').map(of => of.id)"
    assert page.locator("main :is(section, div, table)").evaluate_all(scrolling) == []
    heads = page.locator("#list thead th:visible, #segments thead th:visible").count()
    assert heads == page.evaluate("document.querySelectorAll('#list thead th, #segments thead th').length")
    assert page.inner_text("#how-many")  # what is filtered is on the sheet, how to filter is not
    assert page.locator("#choices, #measures, .tools").filter(visible=True).count() == 0
    page.context.close()


def test_a_figure_on_a_phone_has_its_head_with_it(run, browser):
    phone = open_page(browser, run.settings.dashboard_file, width=390, height=844, locale="en-GB")
    head = "cell => [getComputedStyle(cell, '::before').content, cell.getBoundingClientRect().width > 0]"
    shown = phone.locator("#segments tbody tr").first.locator("td.n").evaluate_all(f"all => all.map({head})")
    names = ["Customers", "Spend in 365 days", "Expected loss", "Churn probability", "Expected spend"]
    assert shown == [[f'"{name}"', True] for name in names]
    phone.context.close()
