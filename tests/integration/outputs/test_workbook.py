"""The workbook for marketing, as far as it can be judged without Tableau: docs/tableau.md says what that is."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from lxml import etree

from flows.adapters.dashboard.phrases import Phrasebook, phrases
from flows.adapters.tableau.extract import write_extract
from flows.adapters.tableau.translation import french_name, in_french
from flows.adapters.tableau.workbook import WORKBOOK, SnowflakeConnection, committable, snowflake_workbook
from flows.settings import REPOSITORY
from tests.running.browser import chromium
from tests.workbook import answers, references, schemas, shop
from tests.workbook.answers import Queries
from tests.workbook.document import Workbook
from tests.workbook.faults import FAULTS, normalised
from tests.workbook.picture import page as picture_of
from tests.workbook.queries import Query, order, query
from tests.workbook.questions import ORDERS, QUESTIONS

TEXT = WORKBOOK.read_bytes()
DEFINED = {row["segment"]: row["definition"] for row in shop.rows()["segment_definitions"]}
FRENCH = in_french(TEXT, DEFINED)
DOCUMENTATION = REPOSITORY / "docs" / "tableau.md"
NORMALISED = normalised(TEXT)  # so that faults and values fit, no matter whether Desktop or a text editor saved it last
SHEETS = sorted(Workbook(TEXT).sheets)
QUEUES = ("keep", "win back", "thank")
PRODUCTION = SnowflakeConnection("acme-shop.snowflakecomputing.com", "CHURN", "REPORTING", "MARKETING")


@pytest.fixture(scope="module")
def hyperd() -> Iterator[Any]:
    pytest.importorskip("tableauhyperapi", reason="hyperd is not built for this machine")
    with answers.hyperd() as process:
        yield process


@pytest.fixture(scope="module")
def asked_of_the_shop(hyperd, tmp_path_factory) -> Iterator[Queries]:
    yield from _asked(hyperd, tmp_path_factory, shop.rows())


@pytest.fixture(scope="module")
def asked_of_empty_marts(hyperd, tmp_path_factory) -> Iterator[Queries]:
    yield from _asked(hyperd, tmp_path_factory, {})


@pytest.fixture(params=["asked_of_the_shop", "asked_of_empty_marts"])
def queried(request) -> Queries:
    return request.getfixturevalue(request.param)


def _asked(hyperd, tmp_path_factory, rows) -> Iterator[Queries]:
    folder = tmp_path_factory.mktemp("shop")
    warehouse = shop.warehouse(folder, rows)
    write_extract(warehouse, folder / "marketing.hyper", show_pii=True)
    queried = Queries(hyperd, folder / "marketing.hyper", warehouse)
    yield queried
    queried.close()


def test_the_workbook_is_valid_by_tableaus_schemas_of_both_versions():
    assert schemas.problems(TEXT) == []


def test_everything_that_the_workbook_names_is_there_and_fits_the_marts():
    assert references.problems(TEXT, shop.tableau_types()) == []


def test_the_workbook_for_production_is_as_valid():
    assert schemas.problems(snowflake_workbook(TEXT, PRODUCTION)) == []


@pytest.mark.parametrize("name", SHEETS)
def test_a_worksheet_shows_of_the_extract_what_the_query_finds_in_the_marts(queried, name):
    sheet = Workbook(TEXT).sheets[name]
    asked_for = query(sheet)
    found = queried.of_the_extract(asked_for)
    assert answers.difference(name, asked_for, found, queried.of_the_marts(QUESTIONS[name])) == []
    assert bool(found) == (queried.holds_rows and name != "Customer in detail"), "nobody is selected in the file"
    sorted_by = order(sheet)
    assert (sorted_by is not None) == (name in ORDERS)
    if sorted_by:
        assert queried.of_the_extract(sorted_by) == queried.of_the_marts(ORDERS[name])


@pytest.mark.parametrize("name", SHEETS)
def test_a_worksheet_in_french_has_the_same_marks_and_figures(queried, name):
    asked_for = [query(Workbook(TEXT).sheets[name]), query(Workbook(FRENCH).sheets[french_name(name)])]
    assert asked_for[0].dimensions == asked_for[1].dimensions
    english, french = (
        sorted(
            str({key: value for key, value in row.items() if not isinstance(value, str)})
            for row in queried.of_the_extract(one)
        )
        for one in asked_for
    )
    assert french == english


def test_hyperd_says_reasons_in_french_as_the_page_does(asked_of_the_shop):
    """With missing ones, whose text is a dash."""
    written = {
        "higher risk: last order 95 days ago; usually every 30 days",
        "lower risk: spent 12,345 so far, 129 an order",
        "lower risk: opened e-mails 1 time in the last 90 days, clicked 0",
        "higher risk: 12% of what was bought was sent back",
        "slipping: last order today, usually every 2 days; 1,120 EUR less is expected than if they stay",
        "gone: only order 300 days ago; 1.12 EUR more could be won if they came back",
    }
    for field, calculation in (("reason_1", "c_reason_1"), ("why", "c_why")):
        formula = Workbook(FRENCH).sources["federated.customers"].value(calculation)
        listed = ", ".join(f"('{text}')" for text in sorted(written))
        sql = f"""select {formula.sql("t")} as said from (values {listed}, (null)) as t("{field.upper()}")"""
        said = {row["said"] for row in asked_of_the_shop.of_the_extract(Query(sql, ["said"], []))}
        texts = {text for text in written if ("risk" in text) or field == "why"}
        expected = {Phrasebook(phrases()).translated(text).replace("\u00a0", " ") for text in texts}
        assert expected <= said
        assert said & {"–", "dans aucune liste"}


@pytest.mark.parametrize(
    ("chosen", "part", "names"),
    [
        ({"segment": "At risk"}, "segment = 'At risk'",
         ["Customers", "Expected loss", "Lifecycle", "RFM grid", "Churn distribution", "Countries", "Channels",
          "Customers to contact", "List in figures"]),
        ({"c_country": "unknown"}, "country is null", ["Segments", "Channels", "Customers to contact"]),
        ({"c_risk_band": "not scored"}, "risk_band is null", ["Segments", "Movement between segments", "Channels"]),
        ({"c_channel": "web"}, "channel = 'web'", ["List in figures", "Queues", "Queue by segment", "Countries"]),
        ({"c_lifecycle": "slipping"}, "lifecycle = 'slipping'",
         ["Customers", "Segments", "Lifecycle", "Churn distribution", "Movement between segments", "Countries"]),
    ],
)  # fmt: skip
def test_what_a_reader_clicks_or_ticks_holds_for_the_other_worksheets(asked_of_the_shop, chosen, part, names):
    """Also for the list: the customers to contact are then the first of this part, not this part of the first."""
    parts = {"customers": f"(select * from marts.marketing_customers where {part})"}
    for name in names:
        asked_for = query(Workbook(TEXT).sheets[name], chosen)
        found = asked_of_the_shop.of_the_extract(asked_for)
        expected = asked_of_the_shop.of_the_marts(QUESTIONS[name], parts)
        assert expected
        assert answers.difference(name, asked_for, found, expected) == []


def test_the_cohorts_of_a_segment_are_shown_when_it_is_clicked(asked_of_the_shop):
    asked_for = query(Workbook(TEXT).sheets["Cohort retention"], {"segment": "Loyal"})
    parts = {"retention": "(select * from marts.cohort_retention where segment = 'Loyal')"}
    expected = asked_of_the_shop.of_the_marts(QUESTIONS["Cohort retention"], parts)
    assert answers.difference("", asked_for, asked_of_the_shop.of_the_extract(asked_for), expected) == []


@pytest.mark.parametrize(
    ("budget", "chosen", "queue"), [(3, "keep", "keep"), (12, "win back", "win_back"), (100_000, "thank", "thank")]
)
def test_the_list_holds_as_many_of_the_queue_as_the_budget_pays_for(asked_of_the_shop, budget, chosen, queue):
    text = _set(_set(TEXT, "p_contact_budget", str(budget)), "p_queue", f'"{chosen}"')
    expected = ORDERS["Customers to contact"].replace("limit 100", f"limit {budget}").replace("keep", queue)
    listed = asked_of_the_shop.of_the_extract(order(Workbook(text).sheets["Customers to contact"]))
    assert listed == asked_of_the_shop.of_the_marts(expected)
    assert 0 < len(listed) <= budget


def test_each_queue_that_can_be_selected_is_one_that_can_be_listed():
    workbook = Workbook(TEXT)
    members = {member.get("value") for member in workbook.parameters["p_queue"].iter("member")}
    selected = next(e for e in workbook.sheets["Queues"].filters if "c_queue" in e.get("column"))
    assert {group.get("member") for group in selected.iter("groupfilter")} - {None} == members


def test_the_list_puts_equal_values_in_order_of_the_money_spent_so_far_and_then_of_the_id(asked_of_the_shop):
    listed = [row["customer_id"] for row in asked_of_the_shop.of_the_extract(_list())]
    tied = asked_of_the_shop.of_the_marts("""select customer_id from {customers} where expected_loss = 450
        and queue = 'keep' and may_be_contacted order by monetary desc, customer_id""")
    assert len(tied) > 2
    assert [name for name in listed if {"customer_id": name} in tied] == [row["customer_id"] for row in tied]


def test_nobody_who_opted_out_is_on_the_list_or_next_to_it(asked_of_the_shop):
    gone = {row["customer_id"] for row in asked_of_the_shop.of_the_marts("select * from {customers} where opted_out")}
    texts = [_set(_set(TEXT, "p_contact_budget", "100000"), "p_queue", f'"{queue}"') for queue in QUEUES]
    listed = {row["customer_id"] for text in texts for row in asked_of_the_shop.of_the_extract(_list(text))}
    assert gone
    assert listed
    assert not gone & listed
    one = Workbook(_set(TEXT, "p_selected_customer", f'"{min(gone)}"'))
    assert asked_of_the_shop.of_the_extract(query(one.sheets["Customer in detail"])) == []


def test_the_customer_who_is_selected_is_shown_in_detail(asked_of_the_shop):
    [first, *_] = asked_of_the_shop.of_the_extract(_list())
    text = _set(TEXT, "p_selected_customer", f'"{first["customer_id"]}"')
    asked_for = query(Workbook(text).sheets["Customer in detail"])
    question = QUESTIONS["Customer in detail"].replace("customer_id = ''", f"customer_id = '{first['customer_id']}'")
    expected = asked_of_the_shop.of_the_marts(question)
    assert len(expected) == 1
    assert answers.difference("", asked_for, asked_of_the_shop.of_the_extract(asked_for), expected) == []


def test_every_dashboard_says_as_of_when_and_when_scored():
    workbook = Workbook(TEXT)
    assert list(workbook.dashboards) == [
        "Overview", "Segment explorer", "What they buy", "Risk list", "Campaign results", "Model trust",
    ]  # fmt: skip
    assert all("As of" in workbook.sheets_of(name) for name in workbook.dashboards)


def test_the_extract_has_the_columns_of_the_workbook_in_its_types(queried):
    kinds = {
        "string": ("TEXT",), "integer": ("INT", "BIG_INT"), "real": ("DOUBLE",), "date": ("DATE",),
        "datetime": ("TIMESTAMP",), "boolean": ("BOOL",),
    }  # fmt: skip
    for source in Workbook(TEXT).sources.values():
        _, schema, _, table, _ = source.table.split('"')
        types = queried.types(schema, table)
        for name, remote in source.remote.items():
            assert types.get(remote) in kinds[source.columns[name].get("datatype")], f"{table}.{remote}"


def test_the_documentation_knows_every_dashboard_with_its_worksheets_and_marts():
    workbook = Workbook(TEXT)
    rows = re.findall(r"^\| \*\*(.+?)\*\* \|.*\| (.+) \| (.+) \|$", DOCUMENTATION.read_text(), re.MULTILINE)
    documented = {name: (set(sheets.split(", ")), set(re.findall(r"`(\w+)`", marts))) for name, sheets, marts in rows}
    for name in workbook.dashboards:
        sheets = workbook.sheets_of(name) - {"As of"}
        tables = {workbook.sheets[sheet].source.table for sheet in sheets}
        assert documented.pop(name) == (sheets, {table.split('"')[3].lower() for table in tables})
    assert not documented


# Texts of a drawn page that reach beyond their zone
_CUT = """zones => zones.filter(zone => {
  const box = zone.getBoundingClientRect();
  const texts = [...zone.querySelectorAll(":scope > span, .title")].map(text => text.getBoundingClientRect());
  return texts.some(text => text.right > box.right + 1 || text.bottom > box.bottom + 1);
}).map(zone => zone.textContent.slice(0, 60))"""


@pytest.mark.skipif(chromium() is None, reason="needs chromium (Debian package chromium)")
@pytest.mark.parametrize(("text", "width"), [(TEXT, 1200), (TEXT, 1400), (TEXT, 1920), (FRENCH, 1200)],
                         ids=["1200", "1400", "1920", "1200 in French"])  # fmt: skip
def test_titles_and_figures_fit_their_zones_at_every_width_that_a_page_has(asked_of_the_shop, browser, text, width):
    workbook = Workbook(text)
    for name in workbook.dashboards:
        drawn = browser.new_page(viewport={"width": width, "height": 900})
        drawn.set_content(picture_of(workbook, name, asked_of_the_shop.of_the_extract, width))
        assert "not a screenshot of Tableau" in drawn.locator("footer").inner_text()
        assert drawn.locator(".zone").evaluate_all(_CUT) == [], name
        drawn.close()


def test_writing_the_extract_leaves_no_log_where_one_happens_to_be(tmp_path, monkeypatch):
    pytest.importorskip("tableauhyperapi", reason="hyperd is not built for this machine")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    write_extract(shop.warehouse(tmp_path / "data", {}), tmp_path / "data" / "marketing.hyper", show_pii=False)
    assert [file.name for file in tmp_path.iterdir()] == ["data"]


def test_amounts_have_the_currency_of_the_data():
    workbook = Workbook(TEXT)
    for source in workbook.sources.values():
        for column in source.columns.values():
            assert not re.search(r"[$£€]|^c", column.get("default-format", "")), column.get("caption")
    amounts = {
        "monetary",
        "spend_last_365_days",
        "spend_last_period",
        "expected_spend",
        "expected_loss",
        "clv",
        "win_back_value",
        "queue_value",
    }
    for sheet in workbook.sheets.values():
        shown = {name.split(":")[1] for name in sheet.shown}
        if shown & amounts:
            assert "c_currency" in shown, f"{sheet.name} shows amounts and no currency"
            assert any("c_currency" in text for _, text in sheet.texts()), f"{sheet.name} does not say its currency"


def test_risk_bands_have_the_same_colours_on_every_worksheet():
    style = Workbook(TEXT).sources["federated.customers"].element.find(".//style//encoding")
    assert {b.findtext("bucket"): b.get("to") for b in style} == {
        '"low"': "#2a7f9e", '"medium"': "#b8860b", '"high"': "#9e2a4b", '"not scored"': "#8a8a8a",
    }  # fmt: skip


def test_the_committed_workbook_is_indented_and_says_nothing_of_one_machine_or_one_customer():
    assert committable(TEXT) == TEXT, "python -m flows.adapters.tableau.workbook makes it so"
    assert TEXT.count(b"\n") > 5000
    assert b"password" not in TEXT
    assert Workbook(TEXT).parameters["p_selected_customer"].get("value") == '""'


def _list(text: bytes = TEXT):
    return order(Workbook(text).sheets["Customers to contact"])


def _set(text: bytes, parameter: str, value: str) -> bytes:
    """The workbook with a parameter at another value, as a reader would set it."""
    root = etree.fromstring(text)
    for column in root.iterfind(f".//column[@name='[{parameter}]']"):
        column.set("value", value)
        column.find("calculation").set("formula", value)
    return etree.tostring(root)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_caught(asked_of_the_shop, fault):
    faulty = FAULTS[fault].brought_into(NORMALISED)
    found = {
        "schema": schemas.problems(faulty),
        "references": references.problems(faulty, shop.tableau_types()),
        "answers": answers.problems(faulty, asked_of_the_shop),
        "commit": [] if committable(faulty) == faulty else ["is not as it is committed"],
    }
    assert {check for check, problems in found.items() if problems} == FAULTS[fault].caught_by, found
