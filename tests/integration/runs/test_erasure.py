"""Customers can see all that is kept about them. Once erased, they are gone, and no sync brings them back."""

import json
import re
import shutil
from datetime import timedelta

import duckdb
import pytest

from flows.__main__ import main
from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.adapters.files.outbox import FileOutbox
from flows.commands.erase import erase
from flows.commands.person import person
from flows.errors import BadInput, SettingsError
from flows.flow.campaign import campaign
from flows.settings import Settings
from functions.clock import now
from tests.running.airbyte_source import needs_the_cdk
from tests.running.browser import packed_data
from tests.stand_ins.hubspot import TOKEN, HubSpot

pytestmark = [needs_the_cdk, pytest.mark.whole_run]

# what must not be found anywhere afterwards: of one person, named by their id alone, and of another by their address;
# no id has digits only, because those occur in hashes and in the random ids of syncs and rows
TRACES = ("forgetme", "forget@example.org", "old-forget@example.org", "hubspot-4711", "gone@example.org", "gonebuyer")
ORDERS = """order_id,customer_id,email,ordered_at,amount,note
1,forgetme,forget@example.org,2025-08-01,50,please call forgetme
2,forgetme,,2025-09-01,60,
3,gonebuyer,gone@example.org,2025-05-02,70,
4,stays,stays@example.org,2025-09-03,80,
5,till-1,till@example.org,2025-09-03,80,
6,till-2,till@example.org,2025-09-03,80,
7,till-3,till@example.org,2025-09-03,80,
8,till-4,till@example.org,2025-09-03,80,
9,till-5,till@example.org,2025-09-03,80,
10,till-6,till@example.org,2025-09-03,80,
11,one,too,many,fields,of,forget@example.org
"""
CAMPAIGN = """name: everybody
offer: {text: hello, cost_per_contact: 0.1}
margin: 0.4
budget: 1000
holdout: 0.1
"""
CONTACTS = (
    "Record ID,Email,Additional email addresses,Customer ID\n1,forget@example.org,old-forget@example.org,forgetme\n"
)
ANSWER = (
    b'[{"prediction_id":"p1","customer_id":"forgetme","as_of":"2025-09-03","horizon_days":90},'
    b'{"prediction_id":"p2","customer_id":"stays","as_of":"2025-09-03","horizon_days":90}]',
)


@pytest.fixture(scope="module")
def hubspot():
    account, at = HubSpot(), now() - timedelta(days=400)
    for customer, email in (("hubspot-4711", "forget@example.org"), ("stays", "stays@example.org")):
        contact = account.contacts.add({"email": email, "customer_id": customer}, at)
        account.email_events.add("OPEN", email, at)
        line = account.line_items.add({"amount": "30.00", "hs_sku": "A"}, at)
        deal = account.deals.add(
            {"dealname": f"Order of {customer}", "hs_is_closed_won": "true", "closedate": "2025-08-05T10:00:00Z"},
            at, associations={"contacts": [contact], "line_items": [line]},
        )  # fmt: skip
        account.line_items.associate(line, {"deals": [deal]})
    with account.serving() as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUBSPOT_ACCESS_TOKEN", TOKEN)
        patch.setenv("HUBSPOT_BASE_URL", url)
        yield account


@pytest.fixture(scope="module")
def shop(hubspot, tmp_path_factory, run_pipeline):
    """A run of a shop that has all kinds of sources, another shop's warehouse next to it, and predictions that wait."""
    folder = tmp_path_factory.mktemp("forget")
    (folder / "orders.csv").write_text(ORDERS)
    (folder / "contacts.csv").write_text(CONTACTS)
    given = {
        "orders": str(folder / "orders.csv"), "contacts": str(folder / "contacts.csv"),
        "source": "orders_csv,hubspot", "horizon_days": 90, "outputs": str(folder / "data" / "outputs"),
    }  # fmt: skip
    settings = Settings(data_dir=folder / "data", **given)
    run_pipeline(settings.data_dir, **given)
    (folder / "campaign.yml").write_text(CAMPAIGN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.flow.campaign._is_simulated", lambda _: True)  # its orders are of long ago
        campaign(settings, folder / "campaign.yml", launches=True)
    shutil.copy(settings.warehouse_file, settings.data_dir / "warehouse.another_shop.duckdb")
    outbox = FileOutbox(settings.outbox(settings.shop))
    outbox.put("api", now(), ANSWER)
    outbox.close()
    (outbox.folder / "refused.jsonl").write_bytes(b'{"what": "is this", "customer_id": "forgetme"}\n{"and": "this"}\n')
    (folder / "people.txt").write_text("customer_id\nforgetme\n GONE@example.org \n")
    return folder, settings, given


def traces(file):
    """Relation, column and trace, of every value of every table and view that has one in it."""
    con = duckdb.connect()
    con.execute(f"attach '{file}' as warehouse (read_only); use warehouse")
    found = []
    for schema, table in con.execute(
        "select table_schema, table_name from information_schema.tables where table_catalog = 'warehouse'"
    ).fetchall():
        for name, *_ in con.execute(f'describe "{schema}"."{table}"').fetchall():
            values = f'select lower(cast("{name}" as varchar)) as value from "{schema}"."{table}"'
            for trace in TRACES:
                if con.execute(f"select count(*) from ({values}) where contains(value, '{trace}')").fetchall()[0][0]:
                    found.append(f"{schema}.{table}.{name}: {trace}")
    con.close()
    return found


def text_of(file):
    """What a file says, also where it is packed."""
    if file.name == "dashboard.html":
        return json.dumps(packed_data(file)).lower()
    return file.read_bytes().decode("latin-1").lower()


def traces_in_files(folder):
    return [
        f"{file.relative_to(folder)}: {trace}"
        for file in folder.rglob("*")
        if file.is_file()
        for text in [text_of(file)]
        for trace in TRACES
        if trace in text
    ]


def contents(folder):
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture(scope="module")
def exports(shop):
    """What is kept about both persons, by place, and what the command printed; nothing is changed by it."""
    folder, settings, _ = shop
    (settings.data_dir / ".lock").touch()
    before = contents(settings.data_dir)
    places, lines = ["--data-dir", str(settings.data_dir), "--outputs", settings.outputs], []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout.write", lines.append)
        for name, file in (("forgetme", "one.json"), (" GONE@example.org", "two.json"), ("forgetme", "one.html")):
            assert main(["person", name, str(folder / file), *places]) == 0
    after = contents(settings.data_dir)
    assert [file for file in after.keys() | before.keys() if after.get(file) != before.get(file)] == []
    written = [json.loads((folder / file).read_text()) for file in ("one.json", "two.json")]
    shown = {}
    for part in (part for export in written for part in export["parts"]):
        shown.setdefault(part["place"], []).extend(part["rows"])
    return shown, written, "".join(lines), (folder / "one.html").read_text()


@pytest.fixture(scope="module")
def erasure(shop, exports):
    folder, settings, _ = shop
    before = traces(settings.warehouse_file), traces_in_files(settings.data_dir)
    with pytest.MonkeyPatch.context() as patch:
        lines = []
        patch.setattr("sys.stdout.write", lines.append)
        places = ["--data-dir", str(settings.data_dir), "--outputs", settings.outputs]
        assert main(["erase", str(folder / "people.txt"), *places]) == 0
    return before, "".join(lines)


def test_nothing_is_left_of_them_in_any_table_of_any_shop(shop, erasure, read):
    _, settings, _ = shop
    (before, _), _ = erasure
    relations = {trace.split(": ")[0].rsplit(".", 1)[0] for trace in before}
    assert {
        "raw_orders_csv.order_lines", "raw_contacts_csv.contacts", "raw_hubspot.contacts", "raw_hubspot.deals",
        "raw_hubspot.email_events", "raw.unreadable_lines", "staging.stg_shop__order_lines_validated",
        "intermediate.int_customer_identities", "marts.churn_predictions", "marts.customer_features",
        "marts.customer_rfm", "marts.marketing_customers", "marts.campaign_targets",
        "marts.campaign_sends",
    } <= relations  # fmt: skip
    assert traces(settings.warehouse_file) == []
    assert traces(settings.data_dir / "warehouse.another_shop.duckdb") == []
    others = read(settings.data_dir, "select customer_id from marts.marketing_customers").column("customer_id")
    assert {"stays", "till-1"} <= set(others.to_pylist())


def test_nothing_is_left_of_them_in_any_file(shop, erasure):
    _, settings, _ = shop
    (_, before), _ = erasure
    places = {trace.split(":")[0].split("/")[0] for trace in before}
    # they are in a campaign, so on no other list
    assert {"campaigns", "outbox", "outputs", "dashboard.html", "warehouse.duckdb"} <= places
    assert not settings.extract_file.exists()
    assert sorted(file.name for file in (settings.data_dir / "outputs" / "latest").iterdir()) == [
        "dbt",
        "dbt_docs.html",
    ]
    assert traces_in_files(settings.data_dir) == []
    outbox = settings.outbox(settings.shop)
    assert b'"p2"' in b"".join(file.read_bytes() for file in outbox.glob("*.jsonl"))
    assert (outbox / "refused.jsonl").read_bytes() == b'{"and": "this"}\n'


def test_it_says_from_where_they_were_removed(shop, erasure):
    _, settings, _ = shop
    printed = erasure[1]
    for relation in ("raw_orders_csv.order_lines", "raw_hubspot.deals", "raw_hubspot.line_items", "marts.customer_rfm"):
        assert f"rows of {relation} in {settings.warehouse_file}" in printed
    assert "1 rows of raw_hubspot.contacts" in printed
    assert "2 predictions that wait in" in printed
    assert "dashboard.html was removed" in printed
    assert "was rewritten" in printed
    assert not any(trace in printed for trace in TRACES)


def test_a_sync_of_everything_and_the_same_files_do_not_bring_them_back(shop, erasure, run_pipeline, read):
    _, settings, given = shop
    with duckdb.connect(settings.warehouse_file) as con:
        con.execute("delete from raw.sync_state")
    report = run_pipeline(settings.data_dir, **given)
    assert report.syncs[0].rows >= 8
    assert traces(settings.warehouse_file) == []
    erased = {row.reason: row.rows for row in report.receipt.rejections}
    assert erased["erased on request"] == 3
    assert erased["contact: erased on request"] == 1
    assert read(settings.data_dir, "select count(*) as n from marts.customer_rfm").column("n").to_pylist() == [7]


def test_an_export_had_shown_what_the_erasure_removes(shop, exports, erasure):
    _, settings, _ = shop
    shown, *_ = exports
    (in_tables, in_files), printed = erasure
    removed = re.findall(r"([\d,]+) rows of (\S+ in \S+)\n", printed)
    assert len(removed) > 14
    lacking = {place: rows for rows, place in removed if len(shown.get(place, ())) < int(rows.replace(",", ""))}
    assert not lacking
    relations = {found.split(": ")[0].rsplit(".", 1)[0] for found in in_tables}
    # texts of files, and views of HubSpot's records: the same rows again
    again = {name for name in relations if name.endswith("_as_text") or name.startswith("staging.stg_hubspot__")}
    places = {f"{name} in {settings.warehouse_file}" for name in relations - again}
    assert not places - shown.keys()
    files = {settings.data_dir / found.split(": ")[0] for found in in_files}
    readable = {file for file in files if file.suffix in (".csv", ".jsonl")}
    assert readable
    assert not {file for file in readable if not {str(file), str(file.parent)} & shown.keys()}


def test_an_export_has_all_names_of_one_person_and_nobody_elses(exports):
    shown, (one, two), printed, page = exports
    assert set(one["names"]) >= {"forgetme", "forget@example.org", "old-forget@example.org", "hubspot-4711"}
    assert two["names"] == ["gone@example.org", "gonebuyer"]
    rows = json.dumps(list(shown.values()))
    for other in ("stays", "till-1", "till"):
        assert not re.search(rf'"{other}"|{other}@', rows)
    assert "HubSpot" in printed
    assert "one.html has it all" in printed
    assert "please call forgetme" in page
    assert "stays@example.org" not in page


def test_an_export_goes_nowhere_that_erasure_does_not_look_and_over_no_file(shop, exports, tmp_path):
    folder, settings, _ = shop
    with pytest.raises(SettingsError, match="no erasure finds it"):
        person(settings, "stays", settings.data_dir / "stays.html")
    with pytest.raises(SettingsError, match="is there already"):
        person(settings, "stays", folder / "one.html")
    with pytest.raises(BadInput, match=r"till@example.org of 6\. Name the customer ids"):
        person(settings, "till@example.org", tmp_path / "till.html")


def test_who_was_erased_sees_that_a_hash_is_kept(shop, erasure, tmp_path, capsys):
    person(shop[1], "forgetme", tmp_path / "again.html")
    assert re.search(r"They were erased on \d{4}-.*; a keyed hash", capsys.readouterr().out)
    assert not (tmp_path / "again.html").exists()


def test_an_address_of_several_customers_is_refused_and_nobody_erased(shop, erasure, tmp_path, read):
    _, settings, _ = shop
    (tmp_path / "people.txt").write_text("stays\ntill@example.org\n")
    with pytest.raises(BadInput, match=r"till@example.org of 6\. Name the customer ids"):
        erase(settings, tmp_path / "people.txt")
    assert "stays" in read(settings.data_dir, "select customer_id from marts.customer_rfm")["customer_id"].to_pylist()


def test_an_erasure_that_was_interrupted_is_finished_by_the_next_run(shop, erasure, monkeypatch, run_pipeline):
    folder, settings, given = shop
    (folder / "people.txt").write_text("stays\n")
    with monkeypatch.context() as interrupted:
        interrupted.setattr(DuckDBWarehouse, "blank_rows", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            erase(settings, folder / "people.txt")
    run_pipeline(settings.data_dir, **given)
    with duckdb.connect(settings.warehouse_file) as con:
        assert con.execute("select count(*) from marts.customer_rfm where customer_id = 'stays'").fetchall() == [(0,)]
        assert con.execute("select count(*) from raw_hubspot.contacts").fetchall() == [(0,)]
