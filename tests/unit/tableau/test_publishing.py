"""What a run hands over to Tableau at its end, and what Tableau says of a workbook before."""

import pytest
from prefect.blocks.system import Secret
from prefect.client.orchestration import get_client

from flows.__main__ import main
from flows.adapters.tableau.credentials import read_credentials
from flows.adapters.tableau.files import shown_sheets
from flows.errors import BadInput, SettingsError, TableauRefused
from flows.flow import publication
from flows.flow.publication import publish_to_tableau
from flows.orchestration import flow
from flows.settings import Settings, TableauSettings
from tests.examples.tableau_files import connected_workbook, extract, mart_rows, packaged_workbook
from tests.stand_ins.tableau import Fault, tableau_stand_in
from tests.unit.tableau.test_server import rows_there


@pytest.fixture
def there(monkeypatch):
    with tableau_stand_in() as stand_in:
        stand_in.looks = 1  # nothing is waited for
        for name in ("url", "site", "token_name", "token_secret"):
            monkeypatch.setenv(f"TABLEAU_{name.upper()}", getattr(stand_in, name))
        yield stand_in


@pytest.fixture(scope="module")
def publish():
    """publish(settings): in a flow, as at the end of a run."""

    @flow(name="publishes")
    def run(settings):
        return publish_to_tableau(settings)

    return run


def artifacts():
    with get_client(sync_client=True) as client:
        return [artifact.data for artifact in client.read_artifacts() if artifact.key == "tableau"]


# --- at the end of a run


def test_without_an_address_nothing_is_published_and_nobody_complains(tmp_path):
    assert publish_to_tableau(Settings(data_dir=tmp_path)) == []


def test_the_runs_files_are_published_and_put_on_record(there, publish, tmp_path, prefect_api):
    extract(tmp_path)
    packaged_workbook(tmp_path)
    published = publish(Settings(data_dir=tmp_path))
    assert [(one.kind, one.how) for one in published] == [("data source", "published"), ("workbook", "published")]
    assert rows_there(there) == mart_rows(tmp_path)
    assert there.item("workbooks").file.read_bytes() == (tmp_path / "marketing.twbx").read_bytes()
    assert any("Marketing customers" in data for data in artifacts())
    assert there.sessions == set()


def test_another_run_brings_its_rows_and_leaves_what_has_not_changed(there, publish, tmp_path):
    extract(tmp_path)
    packaged_workbook(tmp_path)
    publish(Settings(data_dir=tmp_path))
    extract(tmp_path, day="2026-07-01", last=60)
    published = publish(Settings(data_dir=tmp_path))
    assert [one.how for one in published] == ["updated", "unchanged"]
    assert rows_there(there) == mart_rows(tmp_path)


def test_in_production_both_are_connected_to_snowflake(there, publish, tmp_path, monkeypatch):
    monkeypatch.setenv("TABLEAU_SNOWFLAKE_USER", "TABLEAU_READER")
    connected_workbook(tmp_path)
    publish(Settings(data_dir=tmp_path, warehouse="snowflake"))
    for kind in ("datasources", "workbooks"):
        (link,) = there.item(kind).links
        assert (link.kind, link.user, link.authentication) == ("snowflake", "TABLEAU_READER", "auth-keypair")
    assert set(there.item("workbooks").sheets) == shown_sheets(tmp_path / "marketing.twb")


def test_what_was_not_written_is_named_before_anything_is_published(there, publish, tmp_path):
    packaged_workbook(tmp_path)
    with pytest.raises(BadInput, match=r"marketing\.hyper: there is nothing to publish yet\. `make run` writes it"):
        publish(Settings(data_dir=tmp_path))
    assert there.requests == []


def test_a_failure_half_way_is_reported_and_the_session_ended_and_the_next_run_heals_it(there, publish, tmp_path):
    extract(tmp_path)
    packaged_workbook(tmp_path)
    there.fail_next("POST workbooks", Fault(403))
    with pytest.raises(TableauRefused, match="answers 403"):
        publish(Settings(data_dir=tmp_path))
    assert there.sessions == set()
    assert [one.how for one in publish(Settings(data_dir=tmp_path))] == ["updated", "published"]
    assert rows_there(there) == mart_rows(tmp_path)


def test_a_missing_setting_is_named_to_those_who_publish(tmp_path):
    with pytest.raises(SettingsError, match="TABLEAU_URL is not set"):
        publication.tableau_publication(Settings(data_dir=tmp_path))


# --- what Tableau says of a workbook


@pytest.fixture
def workbook(tmp_path, monkeypatch):
    file = connected_workbook(tmp_path)
    monkeypatch.setattr(publication, "SOURCE_OF_WORKBOOK", file)
    return file


def test_a_workbook_without_faults_passes(there, workbook, capsys):
    assert main(["validate-workbook"]) == 0
    assert capsys.readouterr().out == "marketing.twb: 0 errors, 0 warnings\n"
    assert there.items["workbooks"] == {}
    assert there.sessions == set()


def test_warnings_are_printed_and_are_no_failure(there, workbook, capsys):
    there.findings = {"warnings": [{"severity": "WARNING", "message": "Unknown map", "line": 24, "column": 8,
                                    "elementName": "map"}]}  # fmt: skip
    assert main(["validate-workbook"]) == 0
    assert "warning: Unknown map (line 24, column 8, <map>)\nmarketing.twb: 0 errors, 1 warn" in capsys.readouterr().out


@pytest.mark.parametrize("status", [None, 200], ids=["as the manual says", "with a good status"])
def test_errors_are_printed_and_are_a_failure(there, workbook, capsys, status):
    error = b'{"errors": [{"message": "no field [A]", "line": 3}]}'
    if status:
        there.fail_next("POST workbooks/validateWorkbook", Fault(status, body=error))
    else:
        there.findings = {"errors": [{"message": "no field [A]", "line": 3}]}
    assert main(["validate-workbook"]) == 1
    assert capsys.readouterr().out == "error: no field [A] (line 3)\nmarketing.twb: 1 errors, 0 warnings\n"


def test_a_workbook_that_is_not_well_formed_fails_with_its_line(there, workbook, capsys):
    workbook.write_text("<workbook>\n<a></b>")
    assert main(["validate-workbook"]) == 1
    assert "error: mismatched tag: line 2" in capsys.readouterr().out


def test_another_file_can_be_asked_about(there, workbook, tmp_path, capsys):
    other = tmp_path / "other.twb"
    other.write_text("<workbook/>")
    assert main(["validate-workbook", str(other)]) == 0
    assert capsys.readouterr().out == "other.twb: 0 errors, 0 warnings\n"


def test_a_server_that_is_too_old_to_validate_is_reported(there, workbook, capsys):
    there.api_version = "3.28"
    assert main(["validate-workbook"]) == 1
    assert "version 3.28 of Tableau's REST API, and validates from 3.29 on" in capsys.readouterr().err


def test_without_a_server_nobody_can_say(workbook, capsys):
    assert main(["validate-workbook"]) == 1
    assert "TABLEAU_URL is not set: only Tableau itself can check" in capsys.readouterr().err


def test_data_next_to_the_workbook_are_named_as_the_reason(there, workbook, capsys):
    there.fail_next("POST workbooks/validateWorkbook", Fault(400, body=b'{"message": "Data/marketing.hyper"}'))
    assert main(["validate-workbook"]) == 1
    assert "Data/marketing.hyper" in (output := capsys.readouterr().err)
    assert "validate the one that is connected to Snowflake" in output


def test_a_package_is_not_sent(there, workbook, tmp_path, capsys):
    assert main(["validate-workbook", str(packaged_workbook(tmp_path))]) == 1
    assert "validates an existing .twb" in capsys.readouterr().err
    assert there.requests == []


# --- the token, in a block


def in_block(name, held):
    Secret(value=held).save(name, overwrite=True)
    return TableauSettings(url="https://example.com", block=name)


def test_the_token_may_be_in_a_block_with_snowflakes_password(prefect_api):
    held = {"token_name": "rfm-churn", "token_secret": "sesame", "snowflake_password": "open"}
    settings = in_block("tableau", held).model_copy(update={"snowflake_user": "TABLEAU_READER"})
    credentials = read_credentials(settings)
    assert (credentials.token_name, credentials.token_secret) == ("rfm-churn", "sesame")
    assert (credentials.snowflake.user, credentials.snowflake.password) == ("TABLEAU_READER", "open")
    assert "sesame" not in repr(credentials)
    assert "open" not in repr(credentials)


def test_a_block_that_does_not_fit_says_what_it_must_hold(prefect_api):
    with pytest.raises(SettingsError, match=r"TABLEAU_BLOCK=half: the block must hold \{\"token_name\""):
        read_credentials(in_block("half", {"token_name": "a"}))
    with pytest.raises(SettingsError, match=r"TABLEAU_BLOCK=gone"):
        read_credentials(TableauSettings(url="https://example.com", block="gone"))
    with pytest.raises(SettingsError, match="TABLEAU_BLOCK=whose holds a snowflake_password: name its user"):
        read_credentials(in_block("whose", {"token_name": "a", "token_secret": "b", "snowflake_password": "c"}))
