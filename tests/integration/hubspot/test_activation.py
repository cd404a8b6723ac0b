"""Customers sent to HubSpot: its real SDK over HTTP, against a stand-in that is as particular as HubSpot is."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.adapters.hubspot.api import PATIENCE_SECONDS, SCOPES
from flows.adapters.hubspot.destination import HubSpotContacts
from flows.adapters.hubspot.properties import PROPERTIES
from flows.adapters.server_api import RetryPolicy
from flows.errors import HubSpotRefused, HubSpotUnreachable, PipelineError
from flows.ports.destination import RESULTS, SendRequest
from flows.settings import HubSpotSettings
from tests.examples.contact_accounts import Clock
from tests.examples.people import anybody, numbered, people
from tests.stand_ins.hubspot import OPENING, TOKEN, too_many_requests
from tests.stand_ins.hubspot_writing import WritableHubSpot
from tests.stand_ins.json_server import DO_AND_HANG_UP, HANG_UP, SERVER_ERROR, Answer, Intervention, Request

CAMPAIGN = "spring"
READ, UPDATE, UPSERT, ADD = "/batch/read", "/batch/update", "/batch/upsert", "/memberships/add"
Results = dict[str, tuple[str, str | None]]


@contextmanager
def sending_to(hubspot: WritableHubSpot, clock: Clock | None = None, **more) -> Iterator[HubSpotContacts]:
    clock = clock or Clock()
    with hubspot.serving() as url:
        given = HubSpotSettings(activation_token=TOKEN, base_url=url, **more)
        yield HubSpotContacts.read(given, RetryPolicy(clock.wait, clock.read))


def send(
    destination: HubSpotContacts, who: pa.Table, recorded: Results | None = None, audience: str | None = CAMPAIGN,
    members: pa.Table | None = None,
) -> Results:  # fmt: skip
    """The result of each, as a caller records it, including those before a failure."""
    recorded = {} if recorded is None else recorded
    everybody = who if members is None else members
    addresses = {address for address in everybody.column("email").to_pylist() if address}
    for table in destination.send(SendRequest(audience, who, addresses)):
        assert table.schema == RESULTS
        for row in table.to_pylist():
            assert row["customer_id"] not in recorded
            recorded[row["customer_id"]] = (row["result"], row["detail"])
    return recorded


def account(contacts: int, intervene: Intervention = lambda request: None, **more) -> WritableHubSpot:
    """c1@example.org and so on are contacts, with ids from 51."""
    hubspot = WritableHubSpot(intervene, **more)
    for number in range(1, contacts + 1):
        hubspot.contacts.add({"email": f"c{number}@example.org", "firstname": f"First {number}"})
    return hubspot


def before(path: str, act: Callable[[], object], time: int = 1) -> Intervention:
    """Does this before the so manieth request whose path ends so."""
    seen = []

    def intervene(request: Request) -> None:
        if request.path.endswith(path):
            seen.append(request)
            if len(seen) == time:
                act()

    return intervene


def properties(hubspot: WritableHubSpot, contact: int) -> Mapping[str, str]:
    return hubspot.contacts.alive()[contact].properties


def writes(hubspot: WritableHubSpot) -> list[Request]:
    """Requests that tell HubSpot of people."""
    return [request for request in hubspot.requests if request.path.endswith((UPDATE, UPSERT, ADD))]


def test_contacts_get_their_figures_and_are_in_the_campaigns_list():
    hubspot = account(contacts=3)
    with sending_to(hubspot) as destination:
        who = people(
            {"customer_id": "c1"}, {"customer_id": "c3", "churn_probability": None, "email": " C3@Example.org"}
        )
        assert send(destination, who) == {"c1": ("sent", None), "c3": ("sent", None)}
    assert properties(hubspot, 51) == {
        "email": "c1@example.org", "firstname": "First 1", "rfm_segment": "At risk", "churn_risk_band": "high",
        "churn_lifecycle": "slipping", "churn_queue": "keep", "churn_probability": "0.8123", "expected_spend": "61.24",
        "churn_clv": "210.99", "expected_loss": "80.46", "win_back_value": "35.13",
        "churn_reason": "Last order 96 days ago", "recommended_action": "Personal win-back",
        "next_product_1": "P014", "next_product_2": "P043", "next_product_3": "", "next_product_name_1": "Teapot",
        "next_product_name_2": "", "next_product_name_3": "", "next_category_1": "tea",
        "last_campaign": CAMPAIGN, "last_offer": "-20% on everything", "last_variant": "",
    }  # fmt: skip
    assert properties(hubspot, 53)["churn_probability"] == ""
    assert "rfm_segment" not in properties(hubspot, 52)
    (made,) = hubspot.lists
    assert (made.name, made.processing_type, made.object_type, made.members) == (CAMPAIGN, "MANUAL", "0-1", {51, 53})


def test_those_who_get_a_variant_are_in_a_list_of_their_own_too():
    hubspot = account(contacts=3)
    with sending_to(hubspot) as destination:
        send(
            destination,
            people(*({"customer_id": f"c{n}", "variant": "hats" if n == 2 else "shoes"} for n in (1, 2, 3))),
        )
    members = {made.name: made.members for made in hubspot.lists}
    assert members == {CAMPAIGN: {51, 52, 53}, f"{CAMPAIGN} shoes": {51, 53}, f"{CAMPAIGN} hats": {52}}
    assert properties(hubspot, 52)["last_variant"] == "hats"


def test_properties_are_made_once_in_a_group_of_our_own():
    hubspot = account(contacts=1)
    with sending_to(hubspot) as destination:
        send(destination, numbered(1))
        request_count = len(hubspot.requests)
        send(destination, numbered(1))
    ours = {name: known for name, known in hubspot.properties.items() if known["groupName"] == "rfm_churn"}
    assert {name: known["type"] for name, known in ours.items()} == {p.name: p.type for p in PROPERTIES}
    assert not [
        request for request in hubspot.requests[request_count:] if "properties" in request.path and request.body
    ]


def test_segments_alone_make_no_list_and_say_nothing_of_a_campaign():
    hubspot = account(contacts=2)
    with sending_to(hubspot) as destination:
        assert send(destination, numbered(2), audience=None) == {"c1": ("sent", None), "c2": ("sent", None)}
    assert properties(hubspot, 52)["rfm_segment"] == "At risk"
    assert not {"last_campaign", "last_offer", "last_variant"} & (
        set(properties(hubspot, 52)) | set(hubspot.properties)
    )
    assert hubspot.lists == []


def test_who_is_no_contact_stays_out_of_hubspot():
    hubspot = account(contacts=1)
    with sending_to(hubspot) as destination:
        assert send(destination, numbered(2)) == {"c1": ("sent", None), "c2": ("not_found", None)}
    assert len(hubspot.contacts) == 1


def test_who_is_no_contact_becomes_one_where_that_is_wanted():
    hubspot = account(contacts=1)
    with sending_to(hubspot, create_contacts=True) as destination:
        assert send(destination, numbered(2)) == {"c1": ("sent", None), "c2": ("sent", None)}
    assert (properties(hubspot, 52)["email"], properties(hubspot, 52)["last_campaign"]) == ("c2@example.org", CAMPAIGN)
    assert hubspot.lists[0].members == {51, 52}


def test_customers_without_an_address_are_reported_and_hubspot_is_not_called():
    hubspot = account(contacts=1)
    with sending_to(hubspot, create_contacts=True) as destination:
        who = people({"customer_id": "c1", "email": None}, {"customer_id": "c2", "email": "  "})
        assert send(destination, who) == {"c1": ("no_address", None), "c2": ("no_address", None)}
    assert hubspot.requests == []


@pytest.mark.parametrize("create_contacts", [False, True])
def test_who_has_opted_out_in_hubspot_is_left_alone(create_contacts):
    hubspot = account(contacts=3)
    hubspot.contacts.update(52, {"hs_email_optout": "true"}, OPENING)
    as_before = dict(properties(hubspot, 52))
    with sending_to(hubspot, create_contacts=create_contacts) as destination:
        assert send(destination, numbered(3))["c2"] == ("opted_out", None)
    assert properties(hubspot, 52) == as_before
    assert hubspot.lists[0].members == {51, 53}


def test_who_comes_and_opts_out_while_contacts_are_made_is_not_in_the_list():
    hubspot = account(contacts=1)
    appears = {"email": "c2@example.org", "hs_email_optout": "true"}
    hubspot.intervene = before(UPSERT, lambda: hubspot.contacts.add(appears))
    with sending_to(hubspot, create_contacts=True) as destination:
        assert send(destination, numbered(3)) == {
            "c1": ("sent", None), "c2": ("opted_out", None), "c3": ("sent", None),
        }  # fmt: skip
    assert hubspot.lists[0].members == {51, 53}


@pytest.mark.parametrize("path", [UPDATE, ADD])
def test_a_contact_deleted_meanwhile_is_not_found_and_not_created_again(path):
    hubspot = account(contacts=3)
    hubspot.intervene = before(path, lambda: hubspot.contacts.archive([52], OPENING))
    with sending_to(hubspot) as destination:
        assert send(destination, numbered(3)) == {
            "c1": ("sent", None), "c2": ("not_found", None), "c3": ("sent", None),
        }  # fmt: skip
    assert len(hubspot.contacts) == 2
    assert hubspot.lists[0].members == {51, 53}


def test_a_customer_without_a_result_from_hubspot_is_not_recorded_as_sent():
    hubspot = account(contacts=3)
    hubspot.merged = {52}
    with sending_to(hubspot) as destination:
        assert send(destination, numbered(3))["c2"] == ("refused", "HubSpot does not report its result.")
    assert hubspot.lists[0].members == {51, 53}


def test_customers_who_share_an_address_are_one_contact():
    hubspot = account(contacts=2)
    shared = {"email": "C1@example.org"}
    who = people({"customer_id": "c1"}, {"customer_id": "c2"}, {"customer_id": "c3", "segment": "Lost"} | shared)
    with sending_to(hubspot) as destination:
        assert send(destination, who) == {
            "c1": ("sent", None), "c2": ("sent", None), "c3": ("sent", "Another customer has the same address."),
        }  # fmt: skip
    assert properties(hubspot, 51)["rfm_segment"] == "At risk"
    assert hubspot.lists[0].members == {51, 52}


def test_a_contact_with_two_customers_addresses_is_written_once():
    hubspot = account(contacts=1)
    hubspot.contacts.update(51, {"hs_additional_emails": "c2@example.org;c9@example.org"}, OPENING)
    who = people({"customer_id": "c2", "segment": "Lost"}, {"customer_id": "c1"})
    with sending_to(hubspot) as destination:
        assert send(destination, who) == {"c1": ("sent", None), "c2": ("sent", None)}
    assert properties(hubspot, 51)["rfm_segment"] == "Lost"


@pytest.mark.parametrize("tells_records_apart", [False, True])
def test_a_bad_address_in_the_middle_of_a_batch_is_refused_alone(tells_records_apart):
    hubspot = WritableHubSpot()
    hubspot.tells_records_apart = tells_records_apart
    hubspot.gdpr_deleted = {"c70@example.org"}
    who = people(*({"customer_id": f"c{n}"} | ({"email": "c50@nowhere"} if n == 50 else {}) for n in range(1, 101)))
    with sending_to(hubspot, create_contacts=True) as destination:
        results = send(destination, who)
    assert results.pop("c50") == ("refused", "Email address … is invalid")
    assert results.pop("c70") == ("refused", "The contact … was permanently deleted and cannot be created again")
    assert set(results.values()) == {("sent", None)}
    assert len(hubspot.contacts) == len(hubspot.lists[0].members) == 98


def test_what_hubspot_does_not_take_for_an_address_is_not_found():
    hubspot = account(contacts=100)

    def refuse(request: Request) -> Answer | None:
        is_there = request.path.endswith(READ) and any(one["id"] == "c50@nowhere" for one in request.body["inputs"])
        return Answer(400, {"status": "error", "message": "Invalid email address"}) if is_there else None

    hubspot.intervene = refuse
    who = people(*({"customer_id": f"c{n}"} | ({"email": "c50@nowhere"} if n == 50 else {}) for n in range(1, 101)))
    with sending_to(hubspot) as destination:
        results = send(destination, who)
    assert results.pop("c50") == ("not_found", None)
    assert set(results.values()) == {("sent", None)}


def test_batches_are_no_larger_than_hubspot_allows():
    hubspot = account(contacts=250)
    with sending_to(hubspot) as destination:
        assert set(send(destination, numbered(250)).values()) == {("sent", None)}
    assert [len(request.body["inputs"]) for request in hubspot.requests if request.path.endswith(UPDATE)] == [
        100,
        100,
        50,
    ]
    assert len(hubspot.lists[0].members) == 250


def test_a_rerun_with_unsent_customers_leaves_the_others_alone():
    hubspot = account(contacts=150)
    with sending_to(hubspot) as destination:
        send(destination, numbered(100), members=numbered(150))
        request_count = len(hubspot.requests)
        send(destination, numbered(50, first=101), members=numbered(150))
    updates = [
        one["id"]
        for request in hubspot.requests[request_count:]
        if request.path.endswith(UPDATE)
        for one in request.body["inputs"]
    ]
    assert updates == [str(50 + number) for number in range(101, 151)]
    assert len(hubspot.lists) == 1
    assert len(hubspot.lists[0].members) == 150


def test_to_send_everybody_again_changes_nothing():
    hubspot = account(contacts=5)
    with sending_to(hubspot, create_contacts=True) as destination:
        first = send(destination, numbered(8))
        state = hubspot.state()
        assert send(destination, numbered(8)) == first
    assert hubspot.state() == state


TURNED_AWAY = Answer(403, {})  # at once, without retrying for minutes
WAYS_TO_FAIL = {"not done": HANG_UP, "done but not heard of": DO_AND_HANG_UP, "out of order": SERVER_ERROR}


@pytest.mark.parametrize("way", WAYS_TO_FAIL)
@pytest.mark.parametrize("create_contacts", [False, True])
def test_wherever_it_fails_a_rerun_ends_as_if_it_had_not(way, create_contacts):
    who = numbered(110)

    def started(intervene: Intervention = lambda request: None) -> WritableHubSpot:
        hubspot = account(contacts=105, intervene=intervene)
        hubspot.contacts.update(60, {"hs_email_optout": "true"}, OPENING)
        return hubspot

    undisturbed = started()
    with sending_to(undisturbed, create_contacts=create_contacts) as destination:
        expected = send(destination, who)
    for number in range(1, len(undisturbed.requests) + 1):

        def fail(request: Request, number: int = number) -> Answer | None:
            if request.number < number:
                return None
            return WAYS_TO_FAIL[way] if request.number == number else TURNED_AWAY

        hubspot, recorded = started(fail), {}
        with sending_to(hubspot, create_contacts=create_contacts) as destination:
            with pytest.raises(HubSpotRefused, match=r"answers 403"):
                send(destination, who, recorded)
            hubspot.intervene = lambda request: None
            is_left = pa.array([customer_id not in recorded for customer_id in who.column("customer_id").to_pylist()])
            send(destination, who.filter(is_left), recorded, members=who)
        assert recorded == expected
        assert hubspot.state() == undisturbed.state()


def test_hubspot_is_left_alone_as_long_as_it_asks():
    hubspot = account(contacts=1)
    hubspot.intervene = lambda request: too_many_requests(retry_after=17) if request.number == 5 else None
    clock = Clock()
    with sending_to(hubspot, clock) as destination:
        assert send(destination, numbered(1)) == {"c1": ("sent", None)}
    assert 17 in clock.waited


def test_a_busy_hubspot_is_asked_with_growing_pauses_until_it_answers():
    hubspot = account(contacts=1)
    hubspot.intervene = lambda request: (SERVER_ERROR, too_many_requests(None), HANG_UP, None)[
        min(request.number - 1, 3)
    ]
    clock = Clock()
    with sending_to(hubspot, clock) as destination:
        assert send(destination, numbered(1)) == {"c1": ("sent", None)}
    pauses = [seconds for seconds in clock.waited if seconds >= 1]
    assert pauses == [2.0, 3.0, 4.5]


def test_after_minutes_without_a_response_it_gives_up_and_says_so():
    hubspot = account(contacts=1, intervene=lambda request: SERVER_ERROR)
    clock = Clock()
    with (
        sending_to(hubspot, clock) as destination,
        pytest.raises(HubSpotUnreachable, match=r"answers 500: internal error"),
    ):
        send(destination, numbered(1))
    assert clock.now >= PATIENCE_SECONDS


def test_when_the_day_is_spent_it_does_not_wait_for_tomorrow():
    hubspot = account(contacts=1)
    spent = {"status": "error", "message": "You have reached your daily limit.", "policyName": "DAILY"}
    hubspot.intervene = lambda request: Answer(429, spent)
    with sending_to(hubspot) as destination, pytest.raises(HubSpotRefused, match=r"run this again tomorrow"):
        send(destination, numbered(1))
    assert len(hubspot.requests) == 1


def test_there_are_never_more_than_a_hundred_requests_in_ten_seconds():
    hubspot, clock, times = account(contacts=5), Clock(), []
    hubspot.intervene = lambda request: times.append(clock.now)
    with sending_to(hubspot, clock) as destination:
        for _ in range(30):
            send(destination, numbered(5))
    assert len(times) > 150
    assert all(later - earlier >= 10 for earlier, later in zip(times, times[100:], strict=False))


def test_the_list_of_an_earlier_send_is_used_again():
    hubspot = account(contacts=600)
    mine = hubspot.add_list("Spring", members=range(51, 51 + 599))  # HubSpot finds a name whatever its capitals
    with sending_to(hubspot) as destination:
        send(destination, numbered(1, first=600), members=numbered(600))
    assert hubspot.lists == [mine]
    assert len(mine.members) == 600
    assert sum(request.path.endswith("/memberships") for request in hubspot.requests) == 3  # pages


def test_a_member_whose_contact_was_deleted_does_not_make_the_list_foreign():
    hubspot = account(contacts=3)
    hubspot.add_list(CAMPAIGN, members=[51, 52])
    hubspot.contacts.archive([52], OPENING)
    with sending_to(hubspot) as destination:
        assert send(destination, numbered(1, first=3), members=numbered(3)) == {"c3": ("sent", None)}


def test_a_list_of_others_stops_it_before_anybody_is_sent():
    hubspot = account(contacts=5)
    hubspot.add_list(CAMPAIGN, members=[51, 53, 55])
    message = r'a static list "spring" with 2 members who are not in this campaign: rename or delete it there,'
    with sending_to(hubspot) as destination, pytest.raises(HubSpotRefused, match=message):
        send(destination, numbered(2))
    assert writes(hubspot) == []


@pytest.mark.parametrize("kind", ["DYNAMIC", "SNAPSHOT"])
def test_a_list_that_fills_itself_stops_it_before_anybody_is_sent(kind):
    hubspot = account(contacts=2)
    hubspot.add_list(CAMPAIGN, processing_type=kind)
    with sending_to(hubspot) as destination, pytest.raises(HubSpotRefused, match=r"not static but dynamic"):
        send(destination, numbered(2))
    assert writes(hubspot) == []


def test_a_name_that_a_list_of_companies_has_stops_it_before_anybody_is_sent():
    hubspot = account(contacts=2)
    hubspot.add_list(CAMPAIGN, object_type="0-2")
    with sending_to(hubspot) as destination, pytest.raises(HubSpotRefused, match=r"List name is already in use"):
        send(destination, numbered(2))
    assert writes(hubspot) == []


@pytest.mark.parametrize("scope", SCOPES)
def test_a_missing_scope_is_named_before_anybody_is_sent(scope):
    hubspot = account(contacts=2, scopes=set(SCOPES) - {scope})
    hubspot.add_list(CAMPAIGN)  # so that lists are read
    state = hubspot.state()
    with sending_to(hubspot) as destination, pytest.raises(HubSpotRefused, match=rf"the scope {scope}\.$"):
        send(destination, numbered(2))
    assert hubspot.state() == state


def test_an_unknown_token_is_reported_as_wrong_and_not_shown():
    hubspot = account(contacts=1)
    with hubspot.serving() as url:
        given = HubSpotSettings(activation_token="pat-of-nobody", base_url=url)
        destination = HubSpotContacts.read(given, RetryPolicy(Clock().wait, Clock().read))
        with pytest.raises(HubSpotRefused, match=r"answers 401: .*HUBSPOT_ACTIVATION_TOKEN") as refused:
            send(destination, numbered(1))
    assert "pat-of-nobody" not in str(refused.value)
    assert len(hubspot.requests) == 1


def test_a_property_of_another_type_stops_it_before_anybody_is_sent():
    hubspot = account(contacts=1)
    hubspot.add_property("churn_probability", "string", "rfm_churn")
    with sending_to(hubspot) as destination, pytest.raises(
        HubSpotRefused, match=r"churn_probability of the type string, and ours is a number: delete it there"
    ):  # fmt: skip
        send(destination, numbered(1))
    assert writes(hubspot) == []
    assert len([known for known in hubspot.properties.values() if known["groupName"] == "rfm_churn"]) == 1


def test_a_property_that_others_made_is_not_written_over():
    hubspot = account(contacts=1)
    hubspot.add_property("last_campaign", "string", "contactinformation")
    with sending_to(hubspot) as destination:
        with pytest.raises(HubSpotRefused, match=r"last_campaign in the group contactinformation, so it is not ours"):
            send(destination, numbered(1))
        assert send(destination, numbered(1), audience=None) == {"c1": ("sent", None)}  # which does not write it


def test_a_property_that_disappears_meanwhile_is_nobodys_fault():
    hubspot = account(contacts=3)
    hubspot.intervene = before(UPDATE, lambda: hubspot.properties.pop("last_offer"))
    with sending_to(hubspot) as destination, pytest.raises(HubSpotRefused, match=r"last_offer.* does not exist"):
        send(destination, numbered(3))
    assert len(writes(hubspot)) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_the_token_is_in_no_error_no_log_and_no_result(status, caplog):
    caplog.set_level(logging.DEBUG)
    hubspot = account(contacts=1)
    echoed = Answer(status, {"status": "error", "message": f"Bearer {TOKEN} is not " + "x" * 500})
    for path in ("/properties/contacts", READ, UPDATE, ADD):
        hubspot.intervene = lambda request, path=path: echoed if request.path.endswith(path) else None
        with sending_to(hubspot) as destination:
            recorded: Results = {}
            message = ""
            try:
                send(destination, numbered(1), recorded)
            except PipelineError as problem:
                message = str(problem)
            assert TOKEN not in message
            assert len(message) < 700
            assert TOKEN not in repr(destination)
            assert TOKEN not in repr(recorded)
            assert all(len(detail or "") <= 300 for _, detail in recorded.values())
    assert TOKEN not in caplog.text


def test_a_response_that_nobody_can_read_is_no_response():
    hubspot = account(contacts=1)
    hubspot.intervene = lambda request: Answer(200, {"results": "none"}) if request.path.endswith(READ) else None
    with sending_to(hubspot) as destination, pytest.raises(HubSpotUnreachable, match=r"nobody can read the answer"):
        send(destination, numbered(1))


def test_where_nobody_answers_it_says_where_it_asked():
    with WritableHubSpot().serving() as url:
        pass
    clock = Clock()
    given = HubSpotSettings(activation_token=TOKEN, base_url=url)
    with pytest.raises(HubSpotUnreachable, match=rf"Reading the contact properties: no clear answer from {url}"):
        send(HubSpotContacts.read(given, RetryPolicy(clock.wait, clock.read)), numbered(1))


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    who=anybody(),
    known=st.dictionaries(st.sampled_from(["ann", "bob", "zoë", "=cmd", "eve", "dan"]), st.booleans()),
    create_contacts=st.booleans(),
)
def test_every_customer_has_one_result_and_nobody_else_is_changed(who, known, create_contacts):
    hubspot = WritableHubSpot()
    for name, has_opted_out in known.items():
        hubspot.contacts.add({"email": f"{name}@example.org"} | ({"hs_email_optout": "true"} if has_opted_out else {}))
    contacts_before, _ = hubspot.state()
    with sending_to(hubspot, create_contacts=create_contacts) as destination:
        results = send(destination, who)
    assert set(results) == set(who.column("customer_id").to_pylist())
    sent = {(row["email"] or "").strip().lower() for row in who.to_pylist() if results[row["customer_id"]][0] == "sent"}
    contacts, lists = hubspot.state()
    in_list = {contacts[member]["email"].lower() for member in lists.get(CAMPAIGN, ())}
    assert in_list == sent
    for contact_id, as_it_was in contacts_before.items():
        if as_it_was["email"] not in sent:
            assert contacts[contact_id] == as_it_was
        assert not (as_it_was.get("hs_email_optout") and as_it_was["email"] in sent)
    new = {contacts[contact_id]["email"] for contact_id in set(contacts) - set(contacts_before)}
    assert new <= (sent if create_contacts else set())
