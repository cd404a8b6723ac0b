"""Who has opted out here, and what services are told of it: once each, and only where the shop says so."""

import logging
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

import flows.flow.activation
from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.adapters.files.importer_files import CsvFiles
from flows.errors import BrevoRefused
from flows.flow.activation import activation
from flows.ports.destination import TakesOptOuts
from flows.settings import Settings
from flows.steps.opt_outs import pass_on_opt_outs
from tests.examples.contact_accounts import BrevoAccount, MailchimpAccount
from tests.stand_ins.json_server import Answer
from tests.unit.campaigns.test_sending import RESERVED, TABLES, TODAY


@pytest.fixture
def warehouse(monkeypatch):
    with duckdb.connect() as con:
        con.execute(TABLES)
        con.execute(f"create view intermediate.int_reserved_customers as {RESERVED}")
        monkeypatch.setattr(DuckDBWarehouse, "connect", lambda _: con.cursor())
        in_memory = DuckDBWarehouse(Path("nowhere"), Path("nowhere"))
        monkeypatch.setattr(flows.flow.activation, "wire", lambda _: SimpleNamespace(warehouse=in_memory))
        yield in_memory


def customers(warehouse, *numbers, opted_out=True):
    with warehouse.connect() as con:
        for number in numbers:
            con.execute(
                "insert into marts.marketing_customers (customer_id, as_of_date, may_be_contacted, opted_out, email)"
                " values (?, ?, ?, ?, ?)",
                (f"c{number}", TODAY, not opted_out, opted_out, f"c{number}@example.org"),
            )


def recorded(warehouse):
    rows = warehouse.read(
        "select customer_id, fingerprint, result from marts.segment_activations order by 1"
    ).to_pylist()
    return {row["customer_id"]: (row["fingerprint"], row["result"]) for row in rows}


def test_a_service_is_told_once_of_each_who_opts_out_here(warehouse):
    account = BrevoAccount(contacts=2)
    customers(warehouse, 1, 9)
    customers(warehouse, 2, opted_out=False)
    with account.destination(suppress_opt_outs=True) as destination:
        pass_on_opt_outs(warehouse, destination)
        assert account.state()[0] == {"c1@example.org": ({}, True), "c2@example.org": ({}, False)}
        assert recorded(warehouse) == {"c1": ("opted out", "opted_out"), "c9": ("opted out", "not_found")}
        before = len(account.server.requests)
        pass_on_opt_outs(warehouse, destination)
        assert len(account.server.requests) == before
        account.server.add("c3@example.org")
        customers(warehouse, 3)
        pass_on_opt_outs(warehouse, destination)
    assert account.is_out("c3@example.org")
    assert len(recorded(warehouse)) == 3


def test_a_service_that_is_not_to_be_told_is_not_and_the_log_says_of_how_many(warehouse, caplog):
    caplog.set_level(logging.INFO)
    account = MailchimpAccount(contacts=1)
    customers(warehouse, 1)
    with account.destination() as destination:
        pass_on_opt_outs(warehouse, destination)
    assert account.server.requests == []
    assert "1 customers have opted out here and are not sent; Mailchimp is not told" in caplog.text
    assert recorded(warehouse) == {}


def test_after_an_interruption_the_rest_is_told(warehouse):
    account = BrevoAccount(contacts=130)
    customers(warehouse, *range(1, 131))
    account.server.intervene = lambda request: Answer(401, {}) if request.number > 250 else None
    with account.destination(suppress_opt_outs=True) as destination:
        with pytest.raises(BrevoRefused):
            pass_on_opt_outs(warehouse, destination)
        assert len(recorded(warehouse)) == 100
        account.server.intervene = lambda request: None
        pass_on_opt_outs(warehouse, destination)
    assert set(recorded(warehouse).values()) == {("opted out", "opted_out")}
    assert all(account.is_out(address) for address in account.known())


def test_a_file_is_told_nothing(warehouse, tmp_path):
    customers(warehouse, 1)
    files = CsvFiles(tmp_path, "brevo")
    assert not isinstance(files, TakesOptOuts)
    pass_on_opt_outs(warehouse, files)
    assert recorded(warehouse) == {}


@pytest.mark.parametrize("kind", [BrevoAccount, MailchimpAccount])
def test_an_activation_tells_of_opt_outs_and_sends_the_others(warehouse, monkeypatch, tmp_path, kind):
    account = kind(contacts=2)
    customers(warehouse, 1)
    customers(warehouse, 2, opted_out=False)
    with account.destination(suppress_opt_outs=True) as to:
        monkeypatch.setattr(flows.flow.activation, "destination", lambda settings, name: to)
        activation(Settings(data_dir=tmp_path, destination=kind.name))
    assert account.is_out("c1@example.org")
    assert account.fields("c1@example.org") == {}
    assert "c2" in account.fields("c2@example.org").values()
    assert {who: result for who, (_, result) in recorded(warehouse).items()} == {"c1": "opted_out", "c2": "sent"}
