"""What is filtered on the page, as a file and as a link."""

import csv
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from tests.running.browser import chromium, open_page
from tests.running.dashboard import draw, press

pytestmark = [
    pytest.mark.whole_run,
    pytest.mark.skipif(chromium() is None, reason="needs chromium (Debian package chromium)"),
]


def saved(page, kind, folder):
    with page.expect_download() as download:
        page.locator("#take").get_by_role("button", name={"csv": "CSV", "xlsx": "Excel"}[kind]).click()
    file = Path(folder) / download.value.suggested_filename
    download.value.save_as(file)
    return file


def rows_of_csv(file, delimiter=","):
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines, delimiter=delimiter))


def rows_of_xlsx(file):
    head, *rows = openpyxl.load_workbook(file).worksheets[0].iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def listed(page):
    while page.is_visible("#more"):
        page.click("#more")
    return page.locator("#list tbody td:first-child div:first-child").all_inner_texts()


def test_a_file_has_the_rows_that_are_filtered_in_their_order_in_both_forms(page, tmp_path):
    press(page, "country", "Germany")
    page.locator("#list").get_by_role("button", name="Customer").click()
    shown = listed(page)
    in_csv, in_xlsx = rows_of_csv(saved(page, "csv", tmp_path)), rows_of_xlsx(saved(page, "xlsx", tmp_path))
    assert [row["Customer"] for row in in_xlsx] == shown
    assert [row["Customer"].lstrip("'") for row in in_csv] == shown
    assert page.inner_text("#take-note").startswith(f"{len(shown)} rows")
    assert {row["Country"] for row in in_csv} == {"Germany"}
    for text, typed in zip(in_csv, in_xlsx, strict=True):
        assert float(text["Expected loss"]) == typed["Expected loss"]
        assert datetime.fromisoformat(text["As of"]) == typed["As of"]
        assert (typed["E-mail"], typed["Why"]) == (text["E-mail"], text["Why"])


def test_french_spreadsheets_get_semicolons_decimal_commas_and_french_words(page, tmp_path):
    page.click("#language")
    file = saved(page, "csv", tmp_path)
    assert file.name.startswith("clients_keep_")
    rows = rows_of_csv(file, ";")
    assert all("," in row["CA menacé"] or row["CA menacé"].isdigit() for row in rows)
    assert any("," in row["CA menacé"] for row in rows)
    assert {row["Liste"] for row in rows} == {"Retenir"}
    typed = rows_of_xlsx(saved(page, "xlsx", tmp_path))
    assert [float(row["CA menacé"].replace(",", ".")) for row in rows] == [row["CA menacé"] for row in typed]


def test_no_cell_becomes_a_formula(page, tmp_path):
    ids = {row["Customer"] for row in rows_of_csv(saved(page, "csv", tmp_path))}
    assert "'=1+1" in ids
    book = openpyxl.load_workbook(saved(page, "xlsx", tmp_path))
    [cell] = [cell for cell in book.worksheets[0]["A"] if cell.value == "=1+1"]
    assert cell.data_type == "s"
    assert cell.quotePrefix  # so it stays text when it is edited
    assert not [c for sheet in book for row in sheet for c in row if c.data_type == "f"]


def test_a_file_is_masked_as_the_page_is_and_the_button_says_so(run, page, browser, tmp_path):
    note = f"#{page.locator('#take button').first.get_attribute('aria-describedby')}"
    assert "E-mail addresses are masked in it too." in page.inner_text(note)
    assert all("•••@" in row["E-mail"] for row in rows_of_csv(saved(page, "csv", tmp_path)))
    draw(run, tmp_path / "shown.html", show_pii=True)
    shown = open_page(browser, tmp_path / "shown.html", locale="en-GB")
    assert "It contains personal data." in shown.inner_text(note)
    assert "someone@example.org" in {row["Customer"] for row in rows_of_xlsx(saved(shown, "xlsx", tmp_path))}
    shown.context.close()


def test_a_file_says_of_whom_it_is_and_of_how_many(page, tmp_path):
    press(page, "country", "Germany")
    page.locator("#search").fill("order")
    book = openpyxl.load_workbook(saved(page, "xlsx", tmp_path))
    about = dict(list(book.worksheets[1].iter_rows(values_only=True))[1:])
    assert (about["Queue"], about["Country"], about["Searched for"]) == ("Keep", "Germany", "order")
    page.evaluate("data.cells[data.meta.queues[queue]][0] += 1000; draw()")
    page.get_by_role("button", name="Reset").click()
    shown = len(listed(page))
    assert f"The page has {shown} of the {shown + 1000:,} customers of this queue" in page.inner_text("#take-note")


def test_nothing_is_saved_of_an_empty_list(page):
    page.locator("#search").fill("nobody is called that")
    assert page.locator("#take button:disabled").count() == 2


def view(page):
    return (
        page.inner_text("#how-many"), page.locator("#chips").inner_text(),
        page.locator("[aria-pressed=true]").all_inner_texts(), page.input_value("#search"), listed(page)[:3],
    )  # fmt: skip


def assert_the_link_reproduces(page, browser):
    opened = browser.new_context(locale="en-GB", offline=True).new_page()
    opened.goto(page.url)
    opened.wait_for_selector("body[data-ready]")
    assert opened.url == page.url
    assert view(opened) == view(page)
    opened.click("#language")
    assert opened.url == page.url
    opened.context.close()


def test_a_link_reproduces_the_view_in_both_languages(page, browser):
    press(page, "movement", "Champions → Champions")
    press(page, "segments", "Loyal")
    page.get_by_role("button", name="Expected loss", exact=True).first.click()
    page.locator("#queues").get_by_role("button", name="Thank").click()
    page.locator("#list").get_by_role("button", name="Expected spend", exact=True).click()
    page.locator("#search").fill("order")
    assert len(listed(page)) > 2
    assert_the_link_reproduces(page, browser)


def test_a_link_to_customers_without_a_member_reproduces_them(page, browser):
    press(page, "movement", "no customer yet → New")
    assert page.url.endswith("#segment=New+customers&previous_segment=")
    assert_the_link_reproduces(page, browser)


def test_the_back_button_leads_to_the_view_before_and_forward_again(page):
    start = view(page)
    press(page, "country", "Germany")
    germany = view(page)
    page.locator("#search").press_sequentially("order")  # each letter is no step of its own
    searched = view(page)
    page.go_back()
    assert view(page) == germany
    page.go_back()
    assert view(page) == start
    assert "#" not in page.url
    page.go_forward()
    page.go_forward()
    assert view(page) == searched


def test_what_a_link_names_and_the_page_has_not_is_said(page):
    page.evaluate("location.hash = 'country=Germany&country=Atlantis&measure=nonsense&queue=x&order=y&segment=Loyal'")
    page.wait_for_function("filters.size === 2")
    assert page.inner_text("#not-here") == "Not on this page, so not filtered by: Country: Atlantis."
    press(page, "segments", "Loyal")
    assert page.inner_text("#not-here") == ""
