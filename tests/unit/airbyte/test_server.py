"""Syncs by Airbyte's server, through the real SDK and real HTTP: never two of them, none lost, and none called failed
that was good."""

import logging
import pickle
from datetime import UTC, datetime

import pytest

from flows.adapters.airbyte import api as airbyte_api
from flows.adapters.airbyte.server import AirbyteServer
from flows.adapters.server_api import RetryPolicy
from flows.errors import AirbyteRefused, AirbyteUnreachable, BadInput, SettingsError
from flows.ports.syncs import SyncFailed, SyncRun
from flows.settings import AirbyteSettings, read_settings
from tests.stand_ins.airbyte_server import Fault, Time, airbyte_server

NOT_FOUND = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def there():
    with airbyte_server() as stand_in:
        yield stand_in


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def server(there, time):
    return of(there, time)


def of(there, time, **settings):
    given = {"url": there.url, "client_id": there.client_id, "client_secret": there.client_secret}
    return AirbyteServer.read(AirbyteSettings(**given | settings), RetryPolicy(time.wait, time.clock))


@pytest.fixture
def shop(there):
    return there.add_connection("shop", ("order_lines", "customers"))


# --- one sync, from start to end


def test_a_sync_is_started_once_and_followed_to_success_with_what_it_brought(there, server, shop, time):
    assert server.sync("shop", ["order_lines"]) == SyncRun(
        job_id=1, connection_id=shop, connection="shop", status="succeeded",
        started_at=datetime(2026, 6, 30, 2, 0, 5, tzinfo=UTC), duration_seconds=125.0, rows=120, bytes=1200,
        attached=False,
    )  # fmt: skip
    assert there.started == [1]
    assert time.waits == [2.0, 3.0, 4.5, 6.75]


def test_looks_become_rarer_but_never_more_than_half_a_minute_apart(there, server, shop, time):
    there.script = ("running",) * 20 + ("succeeded",)
    server.sync("shop")
    assert time.waits == sorted(time.waits)
    assert max(time.waits) == 30.0


def test_no_new_rows_are_a_good_sync(there, server, shop):
    there.rows = 0
    run = server.sync("shop")
    assert (run.status, run.rows) == ("succeeded", 0)


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_a_sync_that_ends_badly_names_the_job_and_where_its_log_is(there, server, shop, end):
    there.script = ("running", end)
    with pytest.raises(
        SyncFailed, match=rf"shop \({shop}\) ended as {end}: Airbyte's job 1\. Its log .* Timeline"
    ) as bad:
        server.sync("shop")
    assert (bad.value.run.job_id, bad.value.run.status) == (1, end)


def test_an_attempt_that_failed_is_not_the_end(there, server, shop):
    there.script = ("running", "incomplete", "incomplete", "running", "succeeded")
    assert server.sync("shop").status == "succeeded"


def test_a_sync_that_has_no_duration_yet_has_none(there, server, shop):
    there.script = ("pending",)
    with pytest.raises(SyncFailed) as late:
        of(there, Time(), sync_timeout_seconds=5).sync("shop")
    assert (late.value.run.duration_seconds, late.value.run.rows) == (None, None)


# --- which connection


def test_a_connection_is_found_by_its_id_without_a_list(there, server, shop):
    assert server.sync(shop).connection == "shop"
    assert not [request for request in there.requests if request == "GET /connections"]


def test_a_name_is_found_on_any_page(there, server):
    there.page_size = 3
    for number in range(7):
        there.add_connection(f"other {number}")
    last = there.add_connection("shop")
    assert server.sync("shop").connection_id == last


@pytest.mark.parametrize("wanted", ["shops", NOT_FOUND])
def test_a_connection_that_is_not_there_is_answered_with_those_that_are(there, server, shop, wanted):
    there.add_connection("crm")
    with pytest.raises(BadInput, match=rf"no connection {wanted}.*\n  shop \({shop}\)\n  crm \("):
        server.sync(wanted)
    assert there.started == []


def test_a_name_that_two_connections_have_is_refused_with_their_ids(there, server, shop):
    twin = there.add_connection("shop")
    there.add_connection("crm")
    with pytest.raises(BadInput, match=rf"2 connections named shop: write the id.*\n.*{shop}.*\n.*{twin}.$"):
        server.sync("shop")
    assert there.started == []


@pytest.mark.parametrize("status", ["inactive", "deprecated", "locked"])
def test_a_connection_that_is_switched_off_is_refused_before_anything_starts(there, server, status):
    there.add_connection("shop", status=status)
    with pytest.raises(BadInput, match=f"is {status} in Airbyte: enable it there"):
        server.sync("shop")
    assert there.started == []


# --- streams


def test_a_stream_that_is_gone_is_named_before_anything_starts(there, server, shop):
    with pytest.raises(BadInput, match=r"no stream refunds and no stream visits\. It syncs: customers, order_lines"):
        server.sync("shop", ["order_lines", "refunds", "visits"])
    assert there.started == []


def test_a_stream_that_disappears_during_the_sync_is_named_although_the_job_succeeded(there, server, shop, time):
    time.meanwhile.append(lambda: there.set_streams(shop, "customers"))
    with pytest.raises(SyncFailed, match=r"job 1 succeeded, but: .* no stream order_lines") as gone:
        server.sync("shop", ["order_lines"])
    assert gone.value.run.status == "succeeded"


def test_a_server_that_falls_silent_after_success_makes_no_failure_of_it(there, server, shop, caplog):
    there.after["GET /jobs/1"] = lambda: there.fail_next(f"GET /connections/{shop}", *[Fault(503)] * 100)
    assert server.sync("shop", ["order_lines"]).status == "succeeded"
    assert "it is not known whether its streams still exist" in caplog.text


# --- never two, never a lost one


def test_a_sync_that_runs_already_is_joined(there, server, shop):
    theirs = there.add_job(shop, "running", "running", "succeeded")
    run = server.sync("shop")
    assert (run.job_id, run.attached) == (theirs, True)
    assert "POST /jobs" not in there.requests


def test_a_sync_that_begins_between_our_look_and_our_start_is_joined(there, server, shop):
    there.after["GET /jobs"] = lambda: there.add_job(shop, "running", "running", "succeeded")
    run = server.sync("shop")
    assert (run.job_id, run.attached) == (1, True)
    assert there.requests.count("POST /jobs") == 1
    assert there.started == []


def test_one_that_even_ends_before_we_look_again_is_not_repeated(there, server, shop, time):
    there.after["GET /jobs"] = lambda: there.add_job(shop, "running")
    time.meanwhile.append(lambda: there.jobs[1].script.appendleft("succeeded"))
    run = server.sync("shop")
    assert (run.job_id, run.attached, there.started) == (1, True, [])


def test_what_ended_earlier_is_not_taken_for_ours(there, server, shop):
    for _ in range(30):
        there.add_job(shop, "succeeded")
    run = server.sync("shop")
    assert (run.job_id, run.attached) == (31, False)


@pytest.mark.parametrize(
    "fault",
    [Fault(is_done=True), Fault(504, is_done=True), Fault(200, body=b"{}", is_done=True),
     Fault(200, {"content-type": "text/html"}, b"<html>", is_done=True), Fault(202, is_done=True)],
    ids=["hung up", "gateway timed out", "empty", "a page", "another status"],
)  # fmt: skip
def test_a_start_whose_response_is_lost_is_found_again_not_repeated(there, server, shop, fault):
    there.add_job(shop, "succeeded")
    there.fail_next("POST /jobs", fault)
    run = server.sync("shop")
    assert (run.job_id, run.attached) == (2, False)
    assert there.requests.count("POST /jobs") == 1
    assert there.started == [2]


def test_not_even_when_it_has_ended_before_anybody_looks(there, server, shop):
    there.script = ("succeeded",)
    there.fail_next("POST /jobs", Fault(is_done=True))
    assert server.sync("shop").job_id == 1
    assert there.started == [1]


def test_a_start_that_the_server_never_got_is_made_again(there, server, shop):
    there.fail_next("POST /jobs", Fault(), Fault(500), Fault(503))
    assert server.sync("shop").status == "succeeded"
    assert there.requests.count("POST /jobs") == 4
    assert there.started == [1]


def test_a_start_that_is_answered_too_late_is_found_again(there, shop, time, monkeypatch):
    monkeypatch.setattr(airbyte_api, "CALL_TIMEOUT_SECONDS", 0.5)
    there.fail_next("POST /jobs", Fault(is_done=True, is_slow=True))
    assert of(there, time).sync("shop").status == "succeeded"
    assert there.started == [1]


def test_a_start_that_arrives_after_we_have_looked_for_it_makes_no_second_sync(there, server, shop, time):
    """The first request lingers somewhere; ours after it is refused by Airbyte, and we join what it refused it for."""
    there.fail_next("POST /jobs", Fault(502))
    time.meanwhile.append(
        lambda: there.after.update({"GET /jobs": lambda: there.add_job(shop, "running", "succeeded")})
    )
    assert server.sync("shop").job_id == 1
    assert there.requests.count("POST /jobs") == 2
    assert there.started == []


def test_a_reset_that_runs_is_waited_for_and_not_taken_for_a_sync(there, server, shop, time):
    reset = there.add_job(shop, "running", kind="reset")
    time.meanwhile.extend([lambda: None, lambda: there.jobs[reset].script.appendleft("succeeded")])
    run = server.sync("shop")
    assert (run.job_id, run.attached, there.started) == (2, False, [2])


def test_a_connection_that_stays_busy_is_reported_at_the_time_limit(there, shop, time):
    there.add_job(shop, "running", kind="clear")
    with pytest.raises(SyncFailed, match=r"within 60 s\. .* 409: .* such as a reset, has to end first") as busy:
        of(there, time, sync_timeout_seconds=60).sync("shop")
    assert busy.value.run is None
    assert time.seconds == 60


def test_a_server_that_is_gone_after_a_lost_start_leaves_no_doubt_that_a_sync_may_run(there, shop, time):
    there.fail_next("POST /jobs", Fault(is_done=True))
    there.after["POST /jobs"] = lambda: there.fail_next(".*", *[Fault()] * 100)
    with pytest.raises(SyncFailed, match=r"may have been started.*the next run here joins it"):
        of(there, time, sync_timeout_seconds=60).sync("shop")
    there.faults.clear()
    assert of(there, time).sync("shop").attached
    assert there.started == [1]


# --- tokens, limits, faults, crashes


def test_tokens_that_expire_again_and_again_are_renewed_without_a_word(there, server, shop):
    there.uses_of_a_token = 2
    there.script = ("running",) * 9 + ("succeeded",)
    assert server.sync("shop").status == "succeeded"
    assert there.requests.count("POST /applications/token") > 4
    assert there.started == [1]


def test_a_token_that_expires_just_at_the_start_makes_no_second_sync(there, server, shop):
    there.after["GET /jobs"] = there.tokens.clear
    assert server.sync("shop").status == "succeeded"
    assert there.requests.count("POST /jobs") == 2
    assert there.started == [1]


@pytest.mark.parametrize(
    "request_", ["POST /applications/token", "GET /connections", "GET /jobs", "POST /jobs", "GET /jobs/1"]
)
def test_retry_after_is_waited_for_whatever_was_asked(there, server, shop, time, request_):
    there.fail_next(request_, Fault(429, {"retry-after": "77"}))
    assert server.sync("shop").status == "succeeded"
    assert 77.0 in time.waits
    assert there.started == [1]


def test_a_date_to_retry_after_counts_from_the_servers_own_clock(there, server, shop, time):
    date = {"date": "Tue, 30 Jun 2026 02:00:00 GMT", "retry-after": "Tue, 30 Jun 2026 02:01:17 GMT"}
    there.fail_next("GET /jobs", Fault(503, date))
    server.sync("shop")
    assert 77.0 in time.waits


@pytest.mark.parametrize(
    "request_", ["POST /applications/token", "GET /connections", "GET /jobs", "POST /jobs", "GET /jobs/1"]
)
def test_faults_that_pass_are_lived_through_wherever_they_come(there, server, shop, request_):
    there.fail_next(request_, Fault(500), Fault(), Fault(200, body=b"<html>"), Fault(502))
    assert server.sync("shop").status == "succeeded"
    assert there.started == [1]


def test_a_server_that_crashes_and_comes_back_has_lost_nothing_of_ours(there, server, shop, time):
    there.script = ("running",) * 4 + ("succeeded",)
    time.meanwhile.extend([lambda: None, there.crash, *[lambda: None] * 8, there.recover])
    assert server.sync("shop").status == "succeeded"
    assert there.started == [1]


def test_a_server_that_never_answers_is_given_up_before_anything_was_started(there, server, shop, time):
    there.crash()
    with pytest.raises(AirbyteUnreachable, match=rf"Listing Airbyte's connections: no clear answer from {there.url}"):
        server.sync("shop")
    assert time.seconds == 300
    there.recover()


def test_a_sync_that_runs_while_nobody_can_look_is_not_called_failed_before_its_time(there, shop, time):
    there.fail_next("GET /jobs/1", *[Fault()] * 1000)
    with pytest.raises(SyncFailed, match="job 1 is pending, and continues in Airbyte"):
        of(there, time, sync_timeout_seconds=900).sync("shop")
    assert time.seconds == 900


# --- words that nobody knows yet


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("job", {"jobType": "sync_v2"}),
        ("job", {"rowsSynced": "many", "startTime": "yesterday", "duration": "long"}),
        ("job", {"startTime": ..., "duration": ..., "rowsSynced": ..., "bytesSynced": ...}),
        ("connections", {"schedule": {"scheduleType": "lunar"}, "status": "sleepy"}),
        ("connections", {"configurations": {"streams": [{"name": "order_lines", "syncMode": "telepathy"}]}}),
        ("connections", {"namespaceDefinition": "elsewhere", "tags": ..., "createdAt": "today"}),
    ],
)
def test_a_response_with_something_unknown_in_it_loses_no_sync(there, server, shop, what, changes):
    there.changed_answers[what] = changes
    run = server.sync("shop", ["order_lines"])
    assert (run.job_id, run.status) == (1, "succeeded")
    assert there.started == [1]


def test_an_unknown_status_counts_as_running_until_a_known_one_comes(there, server, shop, time):
    there.script = ("running",) * 6 + ("succeeded",)
    time.meanwhile.extend([
        lambda: there.changed_answers["job"].update(status="hibernating"),
        lambda: None,
        lambda: there.changed_answers.clear(),
    ])  # fmt: skip
    assert server.sync("shop").status == "succeeded"
    assert "GET /jobs/1" in there.requests
    assert there.started == [1]


def test_an_unknown_status_at_the_start_is_followed_too(there, shop, time):
    there.script = ("running", "succeeded")
    there.changed_answers["job"] = {"status": "warming_up"}
    time.meanwhile.append(there.changed_answers.clear)
    assert of(there, time).sync("shop").status == "succeeded"
    assert there.started == [1]


def test_an_old_job_with_an_unknown_status_does_not_keep_us_from_syncing(there, server, shop):
    there.add_job(shop, "succeeded")
    there.changed_answers["jobs"] = {"status": "archived"}
    run = server.sync("shop")
    assert (run.job_id, run.attached) == (2, False)


def test_a_running_job_with_an_unknown_status_is_joined_once_airbyte_refuses_another(there, server, shop):
    theirs = there.add_job(shop, "running", "succeeded")
    there.changed_answers["jobs"] = {"status": "hibernating"}
    run = server.sync("shop")
    assert (run.job_id, run.attached, there.started) == (theirs, True, [])


# --- time limit


def test_a_sync_that_takes_too_long_is_left_running_and_reported(there, shop, time):
    there.script = ("running",)
    with pytest.raises(
        SyncFailed, match=rf"longer than 100 s: .* job 1 is running, and continues.* GET {there.url}/jobs/1"
    ) as late:
        of(there, time, sync_timeout_seconds=100).sync("shop")
    assert time.seconds == 100
    assert late.value.run.status == "running"
    assert there.jobs[1].status == "running"


def test_a_sync_that_takes_too_long_is_cancelled_if_that_is_wanted(there, shop, time):
    there.script = ("running",)
    there.fail_next("DELETE /jobs/1", Fault(503), Fault())
    with pytest.raises(SyncFailed, match=r"job 1 was cancelled.*AIRBYTE_SYNC_TIMEOUT_SECONDS") as late:
        of(there, time, sync_timeout_seconds=100, on_timeout="cancel").sync("shop")
    assert late.value.run.status == "cancelled"
    assert there.jobs[1].status == "cancelled"


def test_a_sync_that_cannot_be_cancelled_is_reported_as_running(there, shop, time):
    there.script = ("running",)
    there.fail_next("DELETE /jobs/1", Fault(403))
    with pytest.raises(SyncFailed, match=r"is running, and continues in Airbyte\. It could not be cancelled: .* 403"):
        of(there, time, sync_timeout_seconds=100, on_timeout="cancel").sync("shop")


@pytest.mark.parametrize("on_timeout", ["cancel", "report"])
def test_a_sync_that_succeeds_at_the_last_moment_is_a_good_one(there, shop, time, on_timeout):
    there.script = ("running", "running", "succeeded")
    run = of(there, time, sync_timeout_seconds=4, on_timeout=on_timeout).sync("shop")
    assert (run.status, time.seconds) == ("succeeded", 4)


def test_a_sync_that_succeeds_while_it_is_being_cancelled_is_a_good_one(there, shop, time):
    there.script = ("running",)
    there.fail_next("DELETE /jobs/1", Fault(422))
    there.after["DELETE /jobs/1"] = lambda: there.jobs[1].script.append("succeeded")
    assert of(there, time, sync_timeout_seconds=100, on_timeout="cancel").sync("shop").status == "succeeded"


# --- who we are


def test_wrong_credentials_are_reported_at_once_and_never_repeated_in_words(there, shop, time):
    with pytest.raises(
        AirbyteRefused, match=r"answers 401\. Check AIRBYTE_CLIENT_ID and AIRBYTE_CLIENT_SECRET"
    ) as wrong:
        of(there, time, client_secret="hunter2hunter2").sync("shop")
    assert "hunter2" not in str(wrong.value)
    assert time.waits == []


def test_credentials_that_are_taken_away_during_a_sync_leave_its_id(there, server, shop, time):
    def take_away():
        there.tokens.clear()
        there.client_secret = "another"

    time.meanwhile.append(take_away)
    with pytest.raises(SyncFailed, match=r"The outcome of job 1, .* is not known") as lost:
        server.sync("shop")
    assert lost.value.run.job_id == 1


def test_an_address_that_is_not_the_public_apis_is_named(there, shop, time):
    there.fail_next("POST /applications/token", Fault(404))
    with pytest.raises(AirbyteRefused, match=r"AIRBYTE_URL.*/api/public/v1"):
        of(there, time).sync("shop")


def test_a_right_that_is_missing_is_named(there, server, shop):
    there.fail_next("POST /jobs", Fault(403))
    with pytest.raises(AirbyteRefused, match=r"Starting a sync of shop .* answers 403.* role in the workspace"):
        server.sync("shop")


def test_neither_secret_nor_token_is_in_a_message_a_log_or_a_representation(there, server, shop, caplog):
    caplog.set_level(logging.DEBUG)
    echo = there.client_secret.encode() + b" <authorization>"
    there.fail_next("GET /jobs/1", Fault(503, body=echo), Fault(400, body=echo))
    with pytest.raises(SyncFailed) as failed:
        server.sync("shop")
    shown = f"{failed.value}{failed.value!r}{server!r}{caplog.text}{server.api._sdk!r}"
    assert "Bearer …" in shown
    for secret in (there.client_secret, *there.tokens):
        assert secret not in shown


def test_a_failure_can_be_handed_on_to_another_process_with_its_run():
    run = SyncRun(1, "c", "shop", "failed", None, None, None, None, False)
    assert pickle.loads(pickle.dumps(SyncFailed("no", run))).run == run


# --- settings


@pytest.fixture
def _no_airbyte(monkeypatch):
    for name in ("URL", "CLIENT_ID", "CLIENT_SECRET", "BLOCK", "CONNECTIONS", "SYNC_TIMEOUT_SECONDS", "ON_TIMEOUT"):
        monkeypatch.delenv(f"AIRBYTE_{name}", raising=False)


@pytest.mark.usefixtures("_no_airbyte")
def test_without_an_address_nothing_is_triggered():
    assert read_settings(AirbyteSettings).url is None
    with pytest.raises(SettingsError, match="AIRBYTE_URL is not set"):
        AirbyteServer.read(read_settings(AirbyteSettings))


@pytest.mark.usefixtures("_no_airbyte")
def test_settings_come_from_variables(monkeypatch):
    for name, value in {
        "URL": "https://airbyte.example/api/public/v1/", "CLIENT_ID": "id", "CLIENT_SECRET": "hunter2",
        "CONNECTIONS": " shop, crm ,shop,", "SYNC_TIMEOUT_SECONDS": "60", "ON_TIMEOUT": "cancel",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"AIRBYTE_{name}", value)
    settings = read_settings(AirbyteSettings)
    server = AirbyteServer.read(settings)
    assert settings.connections == ("shop", "crm")
    assert server.api.url == "https://airbyte.example/api/public/v1"
    assert (server.sync_timeout_seconds, server.on_timeout) == (60, "cancel")
    assert "hunter2" not in f"{settings!r}{server!r}"


@pytest.mark.usefixtures("_no_airbyte")
@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("URL", "http://airbyte.example/api/public/v1", "http only to this machine"),
        ("URL", "airbyte.example", "write it as https"),
        ("URL", "https://me:hunter2@airbyte.example/v1", "leave out user and password"),
        ("SYNC_TIMEOUT_SECONDS", "0", "AIRBYTE_SYNC_TIMEOUT_SECONDS=0"),
        ("ON_TIMEOUT", "panic", "AIRBYTE_ON_TIMEOUT=panic"),
    ],
)
def test_a_setting_that_does_not_fit_is_named(monkeypatch, variable, value, message):
    monkeypatch.setenv(f"AIRBYTE_{variable}", value)
    with pytest.raises(SettingsError, match=message) as refused:
        read_settings(AirbyteSettings)
    assert "hunter2" not in str(refused.value)


@pytest.mark.usefixtures("_no_airbyte")
def test_missing_credentials_are_named_and_a_block_is_offered(monkeypatch):
    monkeypatch.setenv("AIRBYTE_URL", "https://api.airbyte.com/v1")
    with pytest.raises(SettingsError, match="AIRBYTE_CLIENT_ID and AIRBYTE_CLIENT_SECRET too; or AIRBYTE_BLOCK"):
        AirbyteServer.read(read_settings(AirbyteSettings))


def test_nothing_is_asked_before_the_first_sync(there, time):
    of(there, time)
    assert there.requests == []
