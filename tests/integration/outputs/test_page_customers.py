"""One customer on the page: everybody is found by their id, and the drawer shows what the warehouse knows of them."""

import base64
import gzip
import json
import re
import shutil

import duckdb
import pytest

from flows.adapters.dashboard import page as page_module
from flows.adapters.dashboard.page import write_dashboard
from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from tests.examples import campaigns as made_up
from tests.running.browser import chromium, open_page
from tests.running.dashboard import CUSTOMERS, draw, warehouse, with_currency

pytestmark = [
    pytest.mark.whole_run,
    pytest.mark.skipif(chromium() is None, reason="needs chromium (Debian package chromium)"),
]


def number(words):
    return float(re.sub(r"[^\d.-]", "", words))


def look_up(page, words):
    page.fill("#find", words)
    page.locator("#found").get_by_role("button", name=words).first.click()
    page.wait_for_selector("#drawer[open]")


def figures(page):
    names, values = page.locator("#drawer dt").all_inner_texts(), page.locator("#drawer dd").all_inner_texts()
    return dict(zip(names, values, strict=True))


def packed(file, name):
    found = re.search(rf'id="{name}">(.+?)</script>', file.read_text())
    return json.loads(gzip.decompress(base64.b64decode(found[1])))


def test_everybody_is_found_also_who_is_on_no_list_and_who_opted_out(run, page):
    assert len(set(packed(run.settings.dashboard_file, "customers")["id"])) == run.customers
    quiet = f"select customer_id from {CUSTOMERS} where queue is null and may_be_contacted order by monetary, 1 limit 1"
    [customer] = warehouse(run).row(quiet)
    look_up(page, customer)
    assert page.inner_text("#drawer-title") == customer
    assert "may be contacted" in page.inner_text("#customer")
    page.keyboard.press("Escape")
    [customer] = warehouse(run).row(f"select customer_id from {CUSTOMERS} where not may_be_contacted limit 1")
    look_up(page, customer)
    assert "not to be contacted for now" in page.inner_text("#customer")


def test_the_drawer_shows_what_the_marts_know_and_every_purchase(run, page):
    regular = "reason_3 is not null and frequency > 4 and customer_id like 'C%'"  # the others have no purchases here
    [of] = warehouse(run).read(f"select * from {CUSTOMERS} where {regular} order by customer_id limit 1").to_pylist()
    look_up(page, of["customer_id"].lower())
    shown = figures(page)
    for name, column in (
        ("CLV in 365 days", "clv"), ("Expected loss", "expected_loss"), ("Win-back value", "win_back_value"),
        ("Expected spend", "expected_spend"), ("Spend so far", "monetary"), ("Orders", "frequency"),
    ):  # fmt: skip
        assert number(shown[name]) == pytest.approx(of[column], abs=0.51)
    assert f"({of['recency_days']} days ago)" in shown["Last order"]
    words = page.inner_text("#customer")
    for text in (of["segment"], of["lifecycle"], of["recommended_action"], of["reason_1"], of["reason_3"]):
        assert with_currency(text) in words
    purchases = warehouse(run).read(
        f"""select purchased_on, net_amount from intermediate.int_purchases
        where customer_id = '{of["customer_id"]}' and known_until = '9999-12-31' and net_amount > 0 order by 1 desc"""
    ).to_pylist()  # fmt: skip
    rows = page.locator("#drawer .history tbody tr").all_inner_texts()
    assert [number(row.split("\t")[1]) for row in rows] == [float(of["net_amount"]) for of in purchases]
    assert rows[0].startswith(f"{purchases[0]['purchased_on'].day} ")
    assert page.locator("#drawer svg line[stroke-width]").count() == len(purchases)


def test_the_drawer_shows_what_to_show_them_next_and_why_in_both_languages(run, page):
    query = f"""select customer_id, product, category, reason from marts.next_products
        where customer_id = (select min(customer_id) from {CUSTOMERS} where customer_id like 'C%'
            and customer_id in (select customer_id from marts.next_products where reason like 'bought once%')
        ) and rank <= 3 order by rank"""
    products = warehouse(run).read(query).to_pylist()
    look_up(page, products[0]["customer_id"])
    items = page.locator("#drawer h3:text('What to show them next') + ol li")
    assert items.all_inner_texts() == [f"{of['product']} ({of['category']}) · {of['reason']}" for of in products]
    page.keyboard.press("Escape")
    page.click("#language")
    look_up(page, products[0]["customer_id"])
    french = page.locator("#drawer h3:text('Que leur montrer ensuite') + ol li").all_inner_texts()
    assert [text.partition(" ")[0] for text in french] == [of["product"] for of in products]
    assert not [text for text in french if re.search(r"\b(bought|ago|others)\b", text)]


def test_who_may_not_be_written_to_is_shown_nothing_next(run, page):
    nobody = f"""select customer_id from {CUSTOMERS} where opted_out and customer_id like 'C%'
        and customer_id not in (select customer_id from marts.next_products) limit 1"""
    look_up(page, warehouse(run).row(nobody)[0])
    assert page.locator("#drawer h3:text('What to show them next')").count() == 0


def test_a_customer_of_the_list_opens_with_the_keyboard_and_the_address_and_back_close_again(run, page, browser):
    first = page.locator("#list button.opens").first
    first.focus()
    page.keyboard.press("ArrowDown")
    customer = page.evaluate("document.activeElement.textContent")
    assert customer != first.inner_text()
    page.keyboard.press("Enter")
    page.wait_for_selector("#drawer[open]")
    assert page.inner_text("#drawer-title") == customer
    again = open_page(browser, run.settings.dashboard_file, locale="en-GB")
    again.evaluate("address => { location.hash = address; }", page.url.partition("#")[2])
    again.wait_for_selector("#drawer[open]")
    assert again.inner_text("#drawer-title") == customer
    again.context.close()
    page.go_back()
    page.wait_for_selector("#drawer", state="hidden")
    page.go_forward()
    page.wait_for_selector("#drawer[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("#drawer", state="hidden")
    page.wait_for_function("!location.hash.includes('customer=')")


def test_ids_and_addresses_are_masked_unless_asked_for(run, browser, tmp_path):
    shown = packed(run.settings.dashboard_file, "customers")["id"]
    assert [one for one in shown if "someone" in one] == []
    assert [one for one in shown if one.startswith("s•••@example.org ")]
    assert [one for one in packed(run.settings.dashboard_file, "details")["email"] if "•••@" not in one] == []
    draw(run, tmp_path / "shown.html", show_pii=True)
    assert "someone@example.org" in packed(tmp_path / "shown.html", "customers")["id"]


def test_a_customer_named_as_markup_is_text(run, page):
    look_up(page, "<img")
    assert page.inner_text("#drawer-title") == "<img src=x onerror=alert(1)>"
    assert page.locator("#drawer img").count() == 0


def test_campaigns_of_a_customer_are_named_with_their_arm_and_none_of_later(run, browser, tmp_path):
    shutil.copy(run.settings.warehouse_file, tmp_path / "copy.duckdb")
    [customer] = warehouse(run).row(f"select max(customer_id) from {CUSTOMERS} where customer_id like 'C%'")
    copy = DuckDBWarehouse(tmp_path / "copy.duckdb", tmp_path)
    made_up.put_campaigns(copy, run.as_of.date)
    with duckdb.connect(tmp_path / "copy.duckdb") as con:
        for name, arm in ((made_up.HELPED, "treated"), (made_up.NOT_SHOWN, "holdout"), (made_up.LATER, "treated")):
            con.execute(
                f"""insert into marts.campaign_targets by name
                select '{name}' as campaign, '{customer}' as customer_id, '{arm}' as arm"""
            )
        con.execute(
            f"""insert into marts.campaign_sends by name
            select '{made_up.HELPED}' as campaign, '{customer}' as customer_id, 'sent' as result"""
        )
    write_dashboard(copy, run, tmp_path / "page.html")
    page = open_page(browser, tmp_path / "page.html", locale="en-GB")
    look_up(page, customer)
    assert page.locator("#drawer h3:text('Campaigns') + ul li").all_inner_texts() == [
        f"{made_up.NOT_SHOWN}: control group", f"{made_up.HELPED}: contacted",
    ]  # fmt: skip
    page.context.close()


def test_a_page_stays_small_and_says_of_whom_it_has_the_details(run, browser, tmp_path, monkeypatch):
    whole = len(run.settings.dashboard_file.read_bytes())
    customers = len(re.search(r'id="customers">(.+?)</script>', run.settings.dashboard_file.read_text())[1])
    details = len(re.search(r'id="details">(.+?)</script>', run.settings.dashboard_file.read_text())[1])
    for name, limit in (("fewer_details", whole - details // 2), ("fewer_found", whole - details - customers // 2)):
        monkeypatch.setattr(page_module, "MAX_BYTES", limit)
        monkeypatch.setattr(page_module, "MIN_BYTES_OF_CUSTOMERS", 0)
        draw(run, tmp_path / f"{name}.html")
        assert len((tmp_path / f"{name}.html").read_bytes()) <= limit
    page = open_page(browser, tmp_path / "fewer_details.html", locale="en-GB")
    found = packed(tmp_path / "fewer_details.html", "customers")["id"]
    detailed = len(packed(tmp_path / "fewer_details.html", "details")["contact"])
    assert len(found) == run.customers > detailed > 0
    look_up(page, found[-1])
    assert f"of the {detailed} most valuable customers only. make person PERSON={found[-1]}" in page.inner_text(
        "#drawer"
    )
    page.keyboard.press("Escape")
    look_up(page, found[0])
    assert page.locator("#drawer .history").is_visible()
    page.context.close()
    page = open_page(browser, tmp_path / "fewer_found.html", locale="en-GB")
    left = len(packed(tmp_path / "fewer_found.html", "customers")["id"])
    page.fill("#find", "c0")
    page.wait_for_selector("#found p")
    assert f"{left} of {run.customers} customers can be found here" in page.inner_text("#found")
    page.context.close()
