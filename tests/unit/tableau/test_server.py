"""Publishing to Tableau, through the real SDK and real HTTP: what is there afterwards is what was sent, however it
went, and hyperd says so."""

import logging
from xml.etree import ElementTree

import pytest

from flows.adapters.server_api import RetryPolicy
from flows.adapters.tableau import content as tableau_content
from flows.adapters.tableau.files import shown_sheets, write_source, write_table
from flows.adapters.tableau.server import TableauServer
from flows.errors import BadInput, PublishFailed, SettingsError, TableauRefused, TableauUnreachable
from flows.settings import TableauSettings, read_settings
from tests.examples.tableau_files import connected_workbook, customers, extract, mart_rows, packaged_workbook
from tests.stand_ins.airbyte_server import Time
from tests.stand_ins.tableau import Fault, tableau_stand_in

ALL_ROWS = 'select * from "MARTS"."MARKETING_CUSTOMERS" order by "CUSTOMER_ID"'
SNOWFLAKE = {"snowflake_user": "TABLEAU_READER", "snowflake_password": "pass-of-the-reader"}


@pytest.fixture
def there():
    with tableau_stand_in() as stand_in:
        yield stand_in


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def server(there, time):
    return of(there, time)


def of(there, time, **settings):
    given = {"url": there.url, "site": there.site, "token_name": there.token_name, "token_secret": there.token_secret}
    return TableauServer.read(TableauSettings(**given | settings), RetryPolicy(time.wait, time.clock))


def publish(server, table, run_id="run-1"):
    return server.publish_table("Marketing customers", "Who they are.", table, run_id)


def publish_workbook(server, file):
    return server.publish_workbook("Segments", "Dashboards.", file)


def rows_there(there):
    """As Python has them, so that they compare with DuckDB's."""
    return [tuple(getattr(v, "to_datetime", getattr(v, "to_date", lambda v=v: v))() for v in row)
            for row in there.rows(ALL_ROWS)]  # fmt: skip


# --- the customers' rows


def test_the_first_publication_brings_the_rows_of_the_mart(there, server, tmp_path):
    published = publish(server, customers(tmp_path))
    assert rows_there(there) == mart_rows(tmp_path)
    assert (published.kind, published.name, published.how) == ("data source", "Marketing customers", "published")
    assert published.url.startswith(there.url)


def test_the_next_day_replaces_the_rows_and_keeps_the_source(there, server, tmp_path):
    publish(server, customers(tmp_path))
    before = there.item("datasources").item_id
    published = publish(server, customers(tmp_path, day="2026-07-01", first=10, last=70), "run-2")
    assert published.how == "updated"
    assert rows_there(there) == mart_rows(tmp_path)
    assert (there.item("datasources").item_id, there.item("datasources").versions) == (before, 1)
    assert len(there.applied) == 1


def test_a_customer_erased_on_the_same_day_is_gone(there, server, tmp_path):
    publish(server, customers(tmp_path))
    publish(server, customers(tmp_path, first=1), "run-2")
    assert there.rows('select count(*) from "MARTS"."MARKETING_CUSTOMERS" where "CUSTOMER_ID" = \'C000000\'') == [(0,)]


@pytest.mark.parametrize("tells", [True, False], ids=["told the job", "told nothing"])
def test_a_run_that_is_tried_again_changes_nothing_twice(there, server, time, tmp_path, tells):
    there.tells_jobs_again = tells
    publish(server, customers(tmp_path))
    table = customers(tmp_path, day="2026-07-01")
    publish(server, table, "run-2")
    publish(of(there, time), table, "run-2")
    assert len(there.applied) == 1
    assert rows_there(there) == mart_rows(tmp_path)


def test_a_run_that_is_tried_again_with_other_rows_brings_those(there, server, tmp_path):
    publish(server, customers(tmp_path))
    publish(server, customers(tmp_path, day="2026-07-01"), "run-2")
    publish(server, customers(tmp_path, day="2026-07-01", last=60), "run-2")
    assert rows_there(there) == mart_rows(tmp_path)


def test_rows_that_come_back_in_another_run_are_brought_again(there, server, tmp_path):
    """A backfill publishes a past day, and then today again."""
    publish(server, customers(tmp_path), "run-0")
    for number, day in enumerate(("2026-07-01", "2026-03-31", "2026-07-01")):
        publish(server, customers(tmp_path, day=day), f"run-{number}")
    assert rows_there(there) == mart_rows(tmp_path)


def test_an_update_whose_response_is_lost_is_carried_out_once(there, server, tmp_path):
    publish(server, customers(tmp_path))
    there.fail_next(r"PATCH datasources/\*/data", Fault(is_done=True), Fault(504, is_done=True))
    publish(server, customers(tmp_path, day="2026-07-01"), "run-2")
    assert len(there.applied) == 1
    assert rows_there(there) == mart_rows(tmp_path)


def test_other_columns_are_published_as_a_whole_under_the_same_id(there, server, tmp_path):
    publish(server, customers(tmp_path))
    before = there.item("datasources").item_id
    table = customers(tmp_path, more=", 'EUR' as currency")
    assert publish(server, table, "run-2").how == "published"
    assert rows_there(there) == mart_rows(tmp_path)
    assert there.item("datasources").item_id == before
    assert "PATCH datasources/*/data" not in there.requests


def test_a_source_that_cannot_be_updated_is_published_as_a_whole(there, server, tmp_path, caplog):
    publish(server, customers(tmp_path))
    there.jobs.clear()
    there.failing_jobs.append("the file is not what it was")
    assert publish(server, customers(tmp_path, day="2026-07-01"), "run-2").how == "published"
    assert rows_there(there) == mart_rows(tmp_path)
    assert "gives the file is not what it was. Publishing it as a whole" in caplog.text


def test_an_update_is_done_as_a_whole_or_not_at_all(there, server, tmp_path):
    publish(server, customers(tmp_path))
    before = rows_there(there)
    there.fail_next("POST datasources", *[Fault(403)] * 9)
    there.failing_jobs.append("no memory")
    with pytest.raises(TableauRefused):
        publish(server, customers(tmp_path, day="2026-07-01"), "run-2")
    assert rows_there(there) == before


def test_an_extract_without_the_table_says_what_writes_it(tmp_path):
    with pytest.raises(BadInput, match=r"\"CUSTOMERS\" does not exist\): `make run` writes it again"):
        write_table(extract(tmp_path), "MARTS", "CUSTOMERS", tmp_path / "one.hyper")


def test_no_log_is_left_where_hyperd_ran(there, server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    publish(server, write_table(extract(tmp_path), "MARTS", "MARKETING_CUSTOMERS", tmp_path / "customers.hyper"))
    rows_there(there)
    assert not list(tmp_path.rglob("*.log"))


# --- large files, in pieces


@pytest.fixture
def in_pieces(monkeypatch):
    monkeypatch.setenv("TSC_FILESIZE_LIMIT_MB", "0")
    monkeypatch.setenv("TSC_CHUNK_SIZE_MB", "1")


def large(tmp_path):
    return customers(tmp_path, last=40_000, more=", md5(n::varchar) as a, md5(md5(n::varchar)) as b")


@pytest.mark.usefixtures("in_pieces")
def test_a_piece_that_is_lost_makes_no_half_of_a_source(there, server, tmp_path):
    table = large(tmp_path)
    assert table.file.stat().st_size > 2 << 20  # three pieces at least
    lost = (Fault(502), Fault(), Fault(is_done=True))
    there.fail_next(r"PUT fileUploads/.*", lost[0], None, lost[1], None, None, lost[2])
    publish(server, table)
    assert there.requests.count("POST fileUploads") == 4  # each time from the beginning
    assert there.rows('select count(*) from "MARTS"."MARKETING_CUSTOMERS"') == [(40_000,)]
    assert rows_there(there)[-5:] == mart_rows(tmp_path)[-5:]


@pytest.mark.usefixtures("in_pieces")
def test_pieces_that_never_arrive_leave_nothing_behind(there, server, time, tmp_path):
    there.fail_next(r"PUT fileUploads/.*", *[Fault()] * 10_000)
    with pytest.raises(TableauUnreachable, match=r"Publishing customers\.hyper as the data source .*no clear answer"):
        publish(server, customers(tmp_path))
    assert there.items["datasources"] == {}
    assert time.seconds == 3600


@pytest.mark.usefixtures("in_pieces")
def test_a_piece_that_is_answered_too_late_is_sent_again(there, time, tmp_path):
    there.fail_next(r"PUT fileUploads/.*", Fault(is_done=True, is_slow=True))
    publish(of(there, time, request_timeout_seconds=1), customers(tmp_path))
    assert rows_there(there) == mart_rows(tmp_path)


@pytest.mark.parametrize("pieces", [True, False], ids=["in pieces", "at once"])
def test_a_file_that_is_too_big_says_what_to_set(there, server, tmp_path, request, pieces):
    if pieces:
        request.getfixturevalue("in_pieces")
    there.most_bytes = 1000
    with pytest.raises(TableauRefused, match=r"answers 413: .* too big .*TSC_CHUNK_SIZE_MB"):
        publish(server, customers(tmp_path))
    assert there.items["datasources"] == {}


# --- the workbook


def test_a_package_is_published_with_its_sheets(there, server, tmp_path):
    assert publish_workbook(server, packaged_workbook(tmp_path)).how == "published"
    workbook = there.item("workbooks")
    assert (workbook.name, workbook.sheets) == ("Segments", ["Segments", "Overview"])
    assert workbook.file.read_bytes() == (tmp_path / "marketing.twbx").read_bytes()


def test_a_new_package_takes_the_place_of_the_one_before(there, server, tmp_path):
    publish_workbook(server, packaged_workbook(tmp_path))
    before = there.item("workbooks").item_id
    publish_workbook(server, packaged_workbook(tmp_path, "<dashboard name='More' />"))
    assert (there.item("workbooks").item_id, there.item("workbooks").versions) == (before, 2)
    assert "More" in there.item("workbooks").sheets


def test_what_has_not_changed_is_not_published_again(there, server, time, tmp_path):
    publish_workbook(server, packaged_workbook(tmp_path))
    assert publish_workbook(of(there, time), tmp_path / "marketing.twbx").how == "unchanged"
    assert there.item("workbooks").versions == 1


def test_a_sheet_that_did_not_arrive_is_named(there, server, tmp_path):
    there.lost_sheets = {"Overview"}
    with pytest.raises(PublishFailed, match=r"marketing\.twbx as the workbook Segments: .*no sheet Overview of it"):
        publish_workbook(server, packaged_workbook(tmp_path))


@pytest.mark.parametrize("is_new", [True, False], ids=["of a new one", "of one that was there"])
def test_a_server_that_says_done_and_did_nothing_is_not_believed(there, server, tmp_path, is_new):
    if not is_new:
        publish_workbook(server, packaged_workbook(tmp_path))
    there.is_deaf = True
    with pytest.raises(PublishFailed, match=r"reports success, but (shows nothing|what it shows is still of 2026-06)"):
        publish_workbook(server, packaged_workbook(tmp_path, "<dashboard name='More' />"))


def test_hidden_sheets_are_not_missed(tmp_path):
    assert shown_sheets(packaged_workbook(tmp_path)) == shown_sheets(connected_workbook(tmp_path)) == {
        "Segments", "Overview"}  # fmt: skip


def test_a_server_that_knows_no_descriptions_gets_the_workbook_every_time(there, server, tmp_path):
    there.api_version = "3.20"
    publish_workbook(server, packaged_workbook(tmp_path))
    assert publish_workbook(server, tmp_path / "marketing.twbx").how == "published"
    assert there.item("workbooks").description is None


# --- what is connected to Snowflake


def publish_source(server, folder, more=""):
    write_source(connected_workbook(folder, more), "marketing_customers", folder / "customers.tds")
    return server.publish_source("Marketing customers", "Who they are.", folder / "customers.tds")


def test_the_source_of_a_workbook_is_self_contained(tmp_path):
    write_source(connected_workbook(tmp_path), "marketing_customers", tmp_path / "customers.tds")
    source = ElementTree.parse(tmp_path / "customers.tds").getroot()
    assert (source.tag, source.get("formatted-name"), source.get("name")) == ("datasource", "federated.customers", None)
    assert [column.get("name") for column in source.findall("column")] == ["[MONETARY]", "[Per order]"]
    text = (tmp_path / "customers.tds").read_text()
    assert "Parameters" not in text
    assert "user:auto-column" in text


def test_a_workbook_without_the_table_is_refused(tmp_path):
    with pytest.raises(BadInput, match="no data source that reads the table orders"):
        write_source(connected_workbook(tmp_path), "orders", tmp_path / "orders.tds")


@pytest.mark.parametrize("kind", ["datasources", "workbooks"])
def test_a_connection_gets_the_login_after_it_was_published(there, time, tmp_path, kind):
    server = of(there, time, **SNOWFLAKE)
    if kind == "datasources":
        publish_source(server, tmp_path)
    else:
        publish_workbook(server, connected_workbook(tmp_path))
    (link,) = there.item(kind).links
    assert (link.user, link.password, link.is_embedded) == ("TABLEAU_READER", "pass-of-the-reader", True)
    assert link.server == "acme.snowflakecomputing.com"


def test_a_new_definition_keeps_the_login(there, time, tmp_path):
    server = of(there, time, **SNOWFLAKE)
    publish_workbook(server, connected_workbook(tmp_path))
    publish_workbook(server, connected_workbook(tmp_path, "<dashboard name='More' />"))
    assert there.item("workbooks").versions == 2
    assert there.item("workbooks").links[0].user == "TABLEAU_READER"


def test_a_run_that_was_killed_before_the_login_is_healed_by_the_next(there, time, tmp_path):
    there.fail_next(r"GET workbooks/\*/connections", Fault(403))
    with pytest.raises(TableauRefused):
        publish_workbook(of(there, time, **SNOWFLAKE), connected_workbook(tmp_path))
    assert publish_workbook(of(there, time, **SNOWFLAKE), connected_workbook(tmp_path)).how == "unchanged"
    assert there.item("workbooks").links[0].is_embedded


def test_a_new_password_replaces_the_old_one_without_publishing(there, time, tmp_path):
    publish_source(of(there, time, **SNOWFLAKE), tmp_path)
    publish_source(of(there, time, **SNOWFLAKE | {"snowflake_password": "rotated"}), tmp_path)
    assert (there.item("datasources").versions, there.item("datasources").links[0].password) == (1, "rotated")


@pytest.mark.parametrize("forgets", ["userName", "embedPassword"])
def test_a_login_that_the_server_does_not_keep_is_not_taken_for_stored(there, time, tmp_path, forgets):
    there.forgets = {forgets}
    with pytest.raises(PublishFailed, match=r"connection of Segments to acme.* has no login of TABLEAU_READER"):
        publish_workbook(of(there, time, **SNOWFLAKE), connected_workbook(tmp_path))


def test_without_a_password_the_key_pair_of_the_site_is_used(there, time, tmp_path):
    publish_source(of(there, time, snowflake_user="TABLEAU_READER"), tmp_path)
    (link,) = there.item("datasources").links
    assert (link.user, link.password, link.authentication) == ("TABLEAU_READER", None, "auth-keypair")


def test_a_server_that_stores_no_key_pairs_says_what_to_set_instead(there, time, tmp_path):
    there.api_version = "3.26"
    with pytest.raises(TableauRefused, match=r"before version 3\.27 .*TABLEAU_SNOWFLAKE_PASSWORD"):
        publish_source(of(there, time, snowflake_user="TABLEAU_READER"), tmp_path)


def test_without_a_user_viewers_sign_in_themselves(there, server, tmp_path):
    publish_source(server, tmp_path)
    assert not there.item("datasources").links[0].is_embedded
    assert not [request for request in there.requests if request.startswith("PUT")]


def test_what_somebody_made_an_extract_is_refreshed_by_every_run(there, time, tmp_path):
    server = of(there, time, **SNOWFLAKE)
    publish_source(server, tmp_path)
    there.item("datasources").has_extracts = True
    assert publish_source(server, tmp_path).how == "refreshed"
    assert (there.item("datasources").refreshes, there.item("datasources").versions) == (1, 1)


def test_a_package_has_nothing_to_be_refreshed_from(there, server, tmp_path):
    publish_workbook(server, packaged_workbook(tmp_path))
    assert publish_workbook(server, tmp_path / "marketing.twbx").how == "unchanged"
    assert not [request for request in there.requests if "refresh" in request]


def test_a_refresh_of_somebody_else_is_waited_for_and_ours_comes_after_it(there, time, tmp_path):
    server = of(there, time, **SNOWFLAKE)
    publish_source(server, tmp_path)
    there.item("datasources").has_extracts = True
    there.looks = 3
    there.add_refresh(there.item("datasources"))
    publish_source(server, tmp_path)
    assert there.item("datasources").refreshes == 1
    assert there.requests.count("POST datasources/*/refresh") == 4


def test_a_new_definition_says_that_the_extract_is_gone(there, time, tmp_path, caplog):
    server = of(there, time, **SNOWFLAKE)
    publish_workbook(server, connected_workbook(tmp_path))
    there.item("workbooks").has_extracts = True
    publish_workbook(server, connected_workbook(tmp_path, "<dashboard name='More' />"))
    assert "definition of Segments has changed" in caplog.text


# --- where


def test_a_project_that_is_not_there_is_answered_with_those_that_are(there, time, tmp_path):
    outer = there.add_project("Sales")
    there.add_project("Inner", outer)
    with pytest.raises(
        TableauRefused, match=r"TABLEAU_PROJECT=Retention: .* Create it.*\n  Marketing\n  Sales\n  Sales/"
    ):
        publish(of(there, time, project="Retention"), customers(tmp_path))
    assert "POST datasources" not in there.requests


def test_a_project_within_another_is_found_by_its_path(there, time, tmp_path):
    inner = there.add_project("Marketing", there.add_project("Sales"))
    publish(of(there, time, project="Sales/Marketing"), customers(tmp_path))
    assert there.item("datasources").project_id == inner


def test_a_name_of_two_projects_is_refused_with_their_paths(there, time, tmp_path):
    for outer in ("Sales", "Shop"):
        there.add_project("Churn", there.add_project(outer))
    with pytest.raises(TableauRefused, match=r"2 projects are called that.*\n.*\n.*\n  Sales/Churn\n.*\n  Shop/Churn"):
        publish(of(there, time, project="Churn"), customers(tmp_path))


def test_a_project_is_found_on_any_page(there, time, tmp_path, monkeypatch):
    monkeypatch.setattr(tableau_content, "PAGE_SIZE", 2)
    for number in range(6):
        last = there.add_project(f"Project {number}")
    publish(of(there, time, project="Project 5"), customers(tmp_path))
    assert there.item("datasources").project_id == last


def test_a_source_of_the_same_name_elsewhere_is_left_alone(there, time, server, tmp_path):
    there.add_project("Other")
    publish(of(there, time, project="Other"), customers(tmp_path))
    (other,) = there.items["datasources"]
    publish(server, customers(tmp_path, day="2026-07-01"), "run-2")
    assert there.items["datasources"][other].versions == 1
    assert there.applied == []
    assert len(there.items["datasources"]) == 2


def test_a_list_that_is_refused_is_not_taken_for_an_empty_one(there, server, tmp_path):
    there.fail_next("GET datasources", Fault(403))
    with pytest.raises(TableauRefused, match=r"Looking for the data source Marketing customers: .* answers 403"):
        publish(server, customers(tmp_path))


# --- tokens, rights, versions


@pytest.mark.parametrize("wrong", [{"token_secret": "another"}, {"token_name": "another"}, {"site": "elsewhere"}])
def test_a_token_that_does_not_fit_is_refused_at_once_with_what_to_check(there, time, tmp_path, wrong):
    with pytest.raises(
        TableauRefused, match=r"Signing in .* 401: \(401001\).* Check TABLEAU_TOKEN_NAME.*TABLEAU_SITE="
    ) as refused:
        publish(of(there, time, **wrong), customers(tmp_path))
    assert "another installation" not in str(refused.value)
    assert there.requests == ["GET serverInfo", "POST auth/signin"]
    assert time.waits == []


@pytest.mark.parametrize(
    "request_", ["GET projects", "GET datasources", "POST datasources", "POST fileUploads", "GET jobs/*"]
)
@pytest.mark.usefixtures("in_pieces")
def test_a_session_that_expires_is_begun_again_wherever_that_happens(there, server, tmp_path, request_):
    expired = (
        b'<tsResponse xmlns="http://tableau.com/api"><error code="401002"><summary/><detail/></error></tsResponse>'
    )
    there.fail_next(request_.replace("*", r"\*"), Fault(401, body=expired))
    publish(server, customers(tmp_path))
    assert there.requests.count("POST auth/signin") == 2
    assert rows_there(there) == mart_rows(tmp_path)


def test_a_session_that_another_sign_in_ended_is_begun_again(there, server, tmp_path):
    there.after["GET projects"] = lambda: there.sessions.clear()
    publish(server, customers(tmp_path))
    assert there.requests.count("POST auth/signin") == 2


def test_a_session_that_ends_again_and_again_says_why_that_may_be(there, server, tmp_path):
    there.fail_next("GET projects", Fault(401), Fault(401))
    with pytest.raises(TableauRefused, match="does another installation sign in with the same token"):
        publish(server, customers(tmp_path))
    assert there.requests.count("POST auth/signin") == 2


def test_a_missing_right_says_which(there, server, tmp_path):
    there.may_publish = False
    with pytest.raises(TableauRefused, match=r"403: \(403004\).*site role Creator.*View and Publish"):
        publish(server, customers(tmp_path))


def test_a_server_that_is_too_old_is_refused_before_the_token_goes_there(there, server, tmp_path):
    there.api_version = "3.12"
    with pytest.raises(TableauRefused, match=r"version 3\.12 .*; 3\.13 is needed"):
        publish(server, customers(tmp_path))
    assert "POST auth/signin" not in there.requests


def test_a_server_that_does_not_say_its_version_is_not_taken_for_an_old_one(there, server, time, tmp_path):
    there.fail_next("GET serverInfo", *[Fault(500), Fault(), Fault(200, body=b"<html>")] * 2)
    publish(server, customers(tmp_path))
    assert there.requests.count("GET serverInfo") == 7


def test_something_that_is_not_tableau_is_reported(there, server, tmp_path):
    there.fail_next("GET serverInfo", Fault(404, body=b"<html>nginx</html>"))
    with pytest.raises(TableauRefused, match=r"Asking Tableau for its version: .* answers 404: <html>nginx"):
        publish(server, customers(tmp_path))


# --- faults that pass


REQUESTS = ["GET serverInfo", "POST auth/signin", "GET projects", "GET datasources", "POST fileUploads",
            r"PUT fileUploads/.*", "POST datasources", r"GET jobs/\*"]  # fmt: skip


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.usefixtures("in_pieces")
def test_retry_after_is_waited_for_whatever_was_asked(there, server, time, tmp_path, request_):
    there.fail_next(request_, Fault(429, {"retry-after": "77"}))
    publish(server, customers(tmp_path))
    assert 77.0 in time.waits


def test_a_date_to_retry_after_counts_from_the_servers_own_clock(there, server, time, tmp_path):
    date = {"date": "Tue, 30 Jun 2026 02:00:00 GMT", "retry-after": "Tue, 30 Jun 2026 02:01:17 GMT"}
    there.fail_next("GET projects", Fault(503, date))
    publish(server, customers(tmp_path))
    assert 77.0 in time.waits


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.usefixtures("in_pieces")
def test_faults_that_pass_are_lived_through_wherever_they_come(there, server, tmp_path, request_):
    there.fail_next(request_, Fault(500), Fault(), Fault(409), Fault(200, body=b"<html>"), Fault(502, is_done=True))
    publish(server, customers(tmp_path))
    assert rows_there(there) == mart_rows(tmp_path)
    assert len(there.items["datasources"]) == 1


def test_a_response_that_is_lost_makes_no_second_workbook(there, server, tmp_path):
    there.fail_next("POST workbooks", Fault(is_done=True))
    publish_workbook(server, packaged_workbook(tmp_path))
    assert there.item("workbooks").name == "Segments"


def test_a_lock_that_stays_is_reported_at_the_time_limit(there, time, tmp_path):
    there.fail_next("POST datasources", *[Fault(409, body=b"locked by another job")] * 1000)
    with pytest.raises(TableauUnreachable, match="answers 409: locked by another job"):
        publish(of(there, time, job_timeout_seconds=100), customers(tmp_path))
    assert time.seconds == 100


def test_looks_become_rarer_but_never_more_than_half_a_minute_apart(there, server, time, tmp_path):
    there.looks = 20
    publish(server, customers(tmp_path))
    assert time.waits == sorted(time.waits)
    assert max(time.waits) == 30.0


def test_a_run_that_is_killed_while_tableau_works_is_healed_by_the_next(there, server, time, tmp_path):
    def killed():
        raise KeyboardInterrupt

    time.meanwhile.append(killed)
    with pytest.raises(KeyboardInterrupt):
        publish(server, customers(tmp_path))
    publish(of(there, time), customers(tmp_path, day="2026-07-01"), "run-2")
    assert rows_there(there) == mart_rows(tmp_path)
    assert len(there.items["datasources"]) == 1


# --- jobs


def test_a_job_that_fails_is_reported_with_what_tableau_says_of_it(there, server, tmp_path):
    there.failing_jobs.append("the extract is broken")
    with pytest.raises(PublishFailed, match=r"Tableau's job .* failed, and gives the extract is broken\."):
        publish(server, customers(tmp_path))


def test_a_file_that_is_none_is_refused_by_the_server(there, server, tmp_path):
    broken = tmp_path / "broken.twb"
    broken.write_text("<workbook>")
    with pytest.raises(PublishFailed, match="not well formed"):
        publish_workbook(server, broken)


def test_an_update_that_takes_too_long_is_left_and_no_second_job_is_begun(there, time, tmp_path):
    publish(of(there, time), customers(tmp_path))
    there.looks = 10_000
    with pytest.raises(PublishFailed, match=r"Replacing the rows .* takes too long"):
        publish(of(there, time, job_timeout_seconds=100), customers(tmp_path, day="2026-07-01"), "run-2")
    assert len(there.jobs) == 2


def test_a_job_that_takes_too_long_is_left_and_named(there, time, tmp_path):
    there.looks = 10_000
    with pytest.raises(PublishFailed, match=r"takes too long: Tableau's job .* TABLEAU_JOB_TIMEOUT_SECONDS"):
        publish(of(there, time, job_timeout_seconds=100), customers(tmp_path))
    assert time.seconds == 100


# --- secrets


def test_no_secret_is_ever_shown(there, time, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    server = of(there, time, **SNOWFLAKE)
    echo = b"<html>you sent <body> in <session></html>"
    for request in ("POST auth/signin", "GET projects", r"PUT workbooks/.*"):
        there.fail_next(request, Fault(500, body=echo))
    publish_workbook(server, connected_workbook(tmp_path))
    there.fail_next(r"PUT workbooks/.*", Fault(400, body=echo))
    with pytest.raises(TableauRefused) as refused:
        publish_workbook(server, connected_workbook(tmp_path))
    shown = caplog.text + str(refused.value) + repr(server) + repr(server.api)
    assert "you sent" in shown
    assert there.token_secret not in shown
    assert "pass-of-the-reader" not in shown
    assert not there.sessions & set(shown.replace('"', " ").split())
    assert "session-" not in shown


# --- settings


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"URL": "http://tableau.example.com"}, "write it as https://HOST"),
        ({"URL": "https://eu-west-1a.online.tableau.com/#/site/shop/home"}, "site's name goes to TABLEAU_SITE"),
        ({"URL": "https://example.com/api/3.29"}, "write it as https://HOST"),
        ({"URL": "https://me:word@example.com"}, "leave out user and password"),
        ({"SNOWFLAKE_PASSWORD": "word"}, "name its user with TABLEAU_SNOWFLAKE_USER"),
        ({"JOB_TIMEOUT_SECONDS": "soon"}, "TABLEAU_JOB_TIMEOUT_SECONDS=soon"),
    ],
)
def test_a_setting_that_does_not_fit_is_named_with_what_would(monkeypatch, variables, message):
    for name, value in variables.items():
        monkeypatch.setenv(f"TABLEAU_{name}", value)
    with pytest.raises(SettingsError, match=message) as refused:
        read_settings(TableauSettings)
    assert "word" not in str(refused.value).replace("password", "")


def test_without_an_address_there_is_no_server():
    assert read_settings(TableauSettings).url is None
    with pytest.raises(SettingsError, match="nothing is published"):
        TableauServer.read(read_settings(TableauSettings))


@pytest.mark.parametrize(
    ("given", "message"),
    [({}, "TOKEN_NAME and TABLEAU_TOKEN_SECRET too"), ({"token_name": "a"}, "needs TABLEAU_TOKEN_SECRET too")],
)
def test_an_address_alone_is_answered_with_what_it_needs(given, message):
    with pytest.raises(SettingsError, match=message):
        TableauServer.read(TableauSettings(url="https://example.com", **given))
