"""HubSpot's manifest, read by Airbyte's real CDK from a stand-in for HubSpot."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from flows.settings import REPOSITORY
from tests.running.airbyte_source import Source, needs_the_cdk
from tests.stand_ins.hubspot import MISSING_SCOPES, TOKEN, HubSpot, shop, too_many_requests
from tests.stand_ins.json_server import HANG_UP, SERVER_ERROR, Request, at, every, first

pytestmark = needs_the_cdk

MANIFEST = REPOSITORY / "airbyte" / "hubspot.yaml"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LISTED = ["deals", "line_items"]


def source(folder, url: str, token: str = TOKEN) -> Source:
    config = {"base_url": url, "start_date": "2025-01-01T00:00:00Z", "credentials": {"access_token": token}}
    return Source(MANIFEST, config, folder)


@pytest.fixture(scope="module")
def streams(tmp_path_factory) -> dict[str, dict[str, Any]]:
    """What the manifest declares."""
    return source(tmp_path_factory.mktemp("discover"), "http://127.0.0.1:9").discover()


@pytest.fixture
def read(tmp_path, streams):
    """read(hubspot, stream, ..., state=..., token=...): what one run of the CDK says."""

    def reading(hubspot: HubSpot, *names: str, state=None, token=TOKEN):
        with hubspot.serving() as url:
            return source(tmp_path, url, token).read([streams[name] for name in names], state)

    return reading


def test_every_record_of_every_stream_is_read_once_and_what_was_deleted_is_named(read, streams):
    hubspot = shop(customers=250)  # more than a page of each
    gone = {"contacts": [51, 300], "deals": [20_000_001], "line_items": [30_000_002, 30_000_003]}
    for kind, ids in gone.items():
        getattr(hubspot, kind).archive(ids, NOON)
    hubspot.email_events.add("PROCESSED", "customer1@example.org", NOON)

    result = read(hubspot, *streams)

    assert result.exit_code == 0
    for kind, first_id in ("contacts", 51), ("deals", 20_000_001), ("line_items", 30_000_001):
        ids = range(first_id, first_id + len(getattr(hubspot, kind)) + len(gone[kind]))
        assert result.ids(kind) == [i for i in ids if i not in gone[kind]]
        assert result.records(f"archived_{kind}") == [
            {"id": str(i), "archivedAt": "2026-03-01T12:00:00Z"} for i in gone[kind]
        ]
    events = result.records("email_events")
    assert len({event["id"] for event in events}) == len(events) == len(hubspot.email_events) - 1
    assert {event["type"] for event in events} == {"SENT", "DELIVERED", "OPEN"}
    assert all(datetime.fromisoformat(e["createdAt"]).timestamp() * 1_000 == e["created"] for e in events)

    for name, stream in streams.items():
        for record in result.records(name):
            assert record.keys() <= stream["json_schema"]["properties"].keys(), name
    assert "firstname" not in result.output
    assert result.state.keys() == streams.keys()


def test_a_record_has_its_properties_and_associations_in_columns(read):
    hubspot = HubSpot()
    hubspot.contacts.add({"email": "a@example.org", "customer_id": "0042", "hs_email_optout": "true"}, NOON)
    line = hubspot.line_items.add({"quantity": "3", "price": "1.50"}, NOON)
    deal = hubspot.deals.add({"amount": "4.50"}, NOON, associations={"contacts": [51], "line_items": [line]})

    result = read(hubspot, "contacts", "deals")

    times = {"createdAt": "2026-03-01T12:00:00Z", "updatedAt": "2026-03-01T12:00:00Z", "archived": False}
    assert result.records("contacts") == [
        times
        | {
            "id": "51",
            "properties_hs_object_id": "51",
            "properties_createdate": "2026-03-01T12:00:00Z",
            "properties_lastmodifieddate": "2026-03-01T12:00:00Z",
            "properties_email": "a@example.org",
            "properties_customer_id": "0042",
            "properties_hs_email_optout": "true",
            # the CDK leaves out what is null
        }
    ]
    assert result.records("deals") == [
        times
        | {
            "id": str(deal),
            "properties_hs_object_id": str(deal),
            "properties_createdate": "2026-03-01T12:00:00Z",
            "properties_hs_lastmodifieddate": "2026-03-01T12:00:00Z",
            "properties_amount": "4.50",
            "associations": {
                "contacts": {
                    "results": [
                        {"id": "51", "type": "deal_to_contact"},
                        {"id": "51", "type": "deal_to_contact_unlabeled"},
                    ]
                },
                "line items": {"results": [{"id": str(line), "type": "deal_to_line_item"}]},
            },
        }
    ]


def test_more_contacts_than_a_search_gives_out_that_changed_in_the_same_minute_are_all_read(read):
    hubspot = HubSpot()
    for number in range(10_450):
        hubspot.contacts.add({}, NOON + timedelta(milliseconds=number))

    result = read(hubspot, "contacts")

    assert (result.exit_code, result.ids("contacts")) == (0, list(range(51, 51 + 10_450)))


def test_the_next_run_reads_the_contacts_of_the_last_hour_and_what_changed(read):
    hubspot = HubSpot()
    for hour in range(5):
        hubspot.contacts.add({}, NOON + timedelta(hours=hour))
    result = read(hubspot, "contacts")
    assert result.state == {"contacts": {"properties_lastmodifieddate": "2026-03-01T16:00:00Z"}}

    hubspot.contacts.update(51, {"email": "new@example.org"}, NOON + timedelta(hours=9))
    again = read(hubspot, "contacts", state=result.state)

    assert again.ids("contacts") == [51, 54, 55]
    assert again.state == {"contacts": {"properties_lastmodifieddate": "2026-03-01T21:00:00Z"}}


def test_a_contact_that_a_search_finds_late_is_read_by_the_next_run(read):
    hubspot = HubSpot()
    late = hubspot.contacts.add({}, NOON)
    hubspot.contacts.search_lags = True
    hubspot.contacts.update(late, {"email": "late@example.org"}, NOON + timedelta(minutes=30))
    hubspot.contacts.search_lags = False
    hubspot.contacts.add({}, NOON + timedelta(minutes=50))
    result = read(hubspot, "contacts")
    assert "late@example.org" not in result.output

    hubspot.contacts.catch_up()

    assert "late@example.org" in read(hubspot, "contacts", state=result.state).output


def test_a_deal_that_changes_behind_the_readers_back_is_read_by_the_next_run(read):
    hubspot = HubSpot()
    deals = [hubspot.deals.add({}, NOON) for _ in range(150)]

    def change() -> None:
        hubspot.deals.update(deals[0], {"dealstage": "closedlost"}, NOON + timedelta(minutes=1))
        hubspot.deals.update(deals[-1], {"dealstage": "closedwon"}, NOON + timedelta(minutes=2))

    hubspot.intervene = at(2, change)  # the second page is requested
    result = read(hubspot, "deals")
    assert "closedlost" not in result.output
    assert result.state == {"deals": {"updatedAt": "2026-03-01T12:02:00Z"}}

    assert "closedlost" in read(hubspot, "deals", state=result.state).output


def test_deals_of_long_before_the_state_are_not_read_again(read):
    hubspot = HubSpot()
    for day in range(4):
        hubspot.deals.add({}, NOON + timedelta(days=day))

    result = read(hubspot, "deals", state={"deals": {"updatedAt": "2026-03-04T12:00:00Z"}})

    assert result.ids("deals") == [20_000_003, 20_000_004]


def test_a_state_of_the_future_reads_nothing_and_is_kept(read):
    state = {
        "contacts": {"properties_lastmodifieddate": "2999-01-01T00:00:00Z"},
        "deals": {"updatedAt": "2999-01-01T00:00:00Z"},
        "email_events": {"createdAt": "2999-01-01T00:00:00Z"},
    }
    result = read(shop(customers=3), *state, state=state)
    assert (result.exit_code, result.of("RECORD"), result.state) == (0, [], state)


def test_it_waits_as_long_as_hubspot_wants_it_to(read):
    hubspot = shop(customers=3)
    hubspot.intervene = first(1, too_many_requests(retry_after=1))

    result = read(hubspot, "contacts")

    assert (result.exit_code, result.ids("contacts")) == (0, [51, 52, 53])
    assert "Retrying in 2.0 seconds" in result.log  # the CDK adds one; without the header it would be 3.0


def test_it_does_not_wait_until_tomorrow(read):
    hubspot = shop(customers=3)
    hubspot.intervene = every(1, too_many_requests(retry_after=40_000))

    result = read(hubspot, "contacts")

    assert result.exit_code == 1
    assert result.errors[0] == "The rate limit wait time is longer than the connector is allowed to wait."
    assert result.state == {"contacts": {"properties_lastmodifieddate": "2025-01-01T00:00:00Z"}}  # nothing is skipped


def test_it_asks_again_where_hubspot_fails_or_hangs_up(read):
    hubspot = shop(customers=3)
    failures = {"/crm/v3/objects/deals": SERVER_ERROR, "/crm/v3/objects/line_items": HANG_UP}
    hubspot.intervene = lambda request: failures.pop(request.path, None)

    result = read(hubspot, *LISTED)

    assert result.exit_code == 0
    assert [len(result.records(kind)) for kind in LISTED] == [len(hubspot.deals), len(hubspot.line_items)]


def test_a_token_that_hubspot_does_not_know_ends_the_run_and_says_what_to_do(read):
    result = read(shop(customers=3), "contacts", token="pat-of-nobody")
    assert result.exit_code == 1
    assert result.errors[0].startswith("HubSpot does not accept the access token (401). Copy it from the private app")
    assert "pat-of-nobody" not in result.output


def test_a_token_without_a_scope_ends_the_run_but_not_the_other_streams(read):
    hubspot = shop(customers=3)

    def intervene(request: Request):
        return MISSING_SCOPES if request.path.endswith("/deals") else None

    hubspot.intervene = intervene
    result = read(hubspot, "contacts", "deals")

    assert result.exit_code == 1
    assert "/crm/v3/objects/deals (403). Give its private app the scopes" in result.errors[0]
    assert result.ids("contacts") == [51, 52, 53]


def test_a_run_that_failed_half_way_is_gone_on_with_from_its_state(read):
    hubspot = HubSpot()
    for year in 2025, 2026:  # the contacts of a year are a slice
        for number in range(300):
            hubspot.contacts.add({}, datetime(year, 2, 1, tzinfo=UTC) + timedelta(minutes=number))

    def refuse_a_page_of_the_second_year(request: Request):
        return MISSING_SCOPES if '"550"' in json.dumps(request.body) else None

    hubspot.intervene = refuse_a_page_of_the_second_year
    result = read(hubspot, "contacts")
    assert (result.exit_code, result.ids("contacts")) == (1, list(range(51, 551)))
    assert result.state == {"contacts": {"properties_lastmodifieddate": "2025-02-01T04:59:00Z"}}

    hubspot.intervene = lambda request: None
    again = read(hubspot, "contacts", state=result.state)

    assert again.exit_code == 0
    assert again.ids("contacts") == list(range(290, 651))  # the last hour's, and all of the second year


def test_a_check_tells_a_good_token_from_a_bad_one(tmp_path):
    with shop(customers=3).serving() as url:
        assert source(tmp_path, url).check() == {"status": "SUCCEEDED"}
        bad = source(tmp_path, url, token="pat-of-nobody").check()
    assert bad["status"] == "FAILED"
    assert "does not accept the access token" in bad["message"]


def test_a_config_without_a_token_is_refused(tmp_path):
    status = Source(MANIFEST, {"start_date": "2025-01-01T00:00:00Z"}, tmp_path).check()
    assert status == {"status": "FAILED", "message": "Config validation error: 'credentials' is a required property"}


def test_the_token_is_declared_a_secret():
    spec = yaml.safe_load(MANIFEST.read_text())["spec"]["connection_specification"]
    assert spec["properties"]["credentials"]["properties"]["access_token"]["airbyte_secret"] is True


def test_streams_have_keys_and_cursors(streams):
    keys = {name: stream["source_defined_primary_key"] for name, stream in streams.items()}
    cursors = {name: stream.get("default_cursor_field") for name, stream in streams.items()}
    assert keys == {name: [["id"]] for name in streams} | {"email_events": [["id"], ["created"]]}
    assert cursors == {
        "contacts": ["properties_lastmodifieddate"], "deals": ["updatedAt"], "line_items": ["updatedAt"],
        "email_events": ["createdAt"],
        "archived_contacts": ["archivedAt"], "archived_deals": ["archivedAt"], "archived_line_items": ["archivedAt"],
    }  # fmt: skip
