"""What is Mailchimp's own, over HTTP, against a stand-in that is as particular as Mailchimp says that it is."""

import pytest

from flows.adapters.mailchimp.destination import FIELDS, MailchimpMembers
from flows.errors import MailchimpRefused, MailchimpUnreachable, SettingsError
from flows.ports.destination import SendRequest
from flows.settings import MailchimpSettings
from tests.examples.contact_accounts import MailchimpAccount
from tests.examples.people import numbered, people
from tests.stand_ins.json_server import Answer, first
from tests.stand_ins.mailchimp import KEY, too_many_at_once
from tests.unit.campaigns.test_contact_services import CAMPAIGN, OPTED_OUT, SENT, send


def test_members_get_the_merge_fields_of_the_importers_file_and_keep_their_status():
    account = MailchimpAccount(contacts=1)
    with account.destination() as destination:
        send(destination, numbered(1))
    assert account.fields("c1@example.org") == {
        "CUSTOMER": "c1", "SEGMENT": "At risk", "RISK": "high", "LIFECYCLE": "slipping", "QUEUE": "keep",
        "CHURN": 0.8123, "SPEND": 61.24, "CLV": 210.99, "LOSS": 80.46, "WIN_BACK": 35.13,
        "REASON": "Last order 96 days ago", "ACTION": "Personal win-back", "NEXT_1": "P014", "NEXT_2": "P043",
        "NAME_1": "Teapot", "NEXT_CAT": "tea", "OFFER": "-20% on everything", "CURRENCY": "EUR",
    }  # fmt: skip
    assert not any("status" in (request.body or {}) for request in account.server.requests)


def test_merge_fields_that_are_missing_are_made_and_others_stay():
    account = MailchimpAccount(contacts=1)
    with account.destination() as destination:
        send(destination, numbered(1), audience=None)
        assert not {"OFFER", "VARIANT"} & set(account.server.merge_fields)
        send(destination, numbered(1))
    made = {field.name: "number" if field.is_number else "text" for field in FIELDS}
    assert account.server.merge_fields == {
        "FNAME": "text", "LNAME": "text", "ADDRESS": "address", "PHONE": "phone", **made,
    }  # fmt: skip


def test_a_merge_field_of_another_type_stops_it_before_anything_is_sent():
    account = MailchimpAccount(contacts=1)
    account.server.merge_fields["CHURN"] = "text"
    with (
        account.destination() as destination,
        pytest.raises(MailchimpRefused, match=r"CHURN of the type text, and ours"),
    ):
        send(destination, numbered(1))
    assert account.fields("c1@example.org") == {}


def test_an_audience_without_room_for_more_fields_says_so():
    account = MailchimpAccount()
    account.server.merge_fields |= {f"OTHER_{number}": "text" for number in range(20)}
    with account.destination() as destination, pytest.raises(MailchimpRefused, match="limit of 30 merge fields"):
        destination.check(SendRequest(CAMPAIGN, numbered(0)))


def test_a_text_that_is_too_long_is_cut_and_not_within_a_letter():
    account = MailchimpAccount(contacts=1)
    with account.destination() as destination:
        assert send(destination, people({"customer_id": "c1", "reason": "é" * 300})) == {"c1": SENT}
    assert account.fields("c1@example.org")["REASON"] == "é" * 127


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("cleaned", OPTED_OUT),
        ("archived", ("not_found", "Archived in Mailchimp.")),
        ("pending", ("refused", "They have not confirmed their subscription in Mailchimp.")),
        ("transactional", ("refused", "They have not subscribed in Mailchimp.")),
    ],
)
def test_only_who_has_subscribed_is_written(status, verdict):
    account = MailchimpAccount(contacts=1)
    account.server.add("c2@example.org", status=status)
    with account.destination(may_create=True) as destination:
        assert send(destination, numbered(2)) == {"c1": SENT, "c2": verdict}
    assert account.fields("c2@example.org") == {}
    assert account.lists() == {CAMPAIGN: {"c1@example.org"}}


def test_who_asked_to_be_forgotten_is_not_subscribed_again():
    account = MailchimpAccount()
    account.server.add("c1@example.org", is_deleted=True)
    with account.destination(may_create=True) as destination:
        assert send(destination, numbered(2)) == {"c1": OPTED_OUT, "c2": SENT}
    assert account.known() == {"c2@example.org"}


def test_who_unsubscribes_while_they_are_sent_is_not_in_the_segment():
    account = MailchimpAccount(contacts=2)

    def unsubscribe(request):
        if request.method == "PATCH":
            next(
                one for one in account.server.members.values() if one.email == "c1@example.org"
            ).status = "unsubscribed"

    account.server.intervene = unsubscribe
    with account.destination() as destination:
        assert send(destination, numbered(2)) == {"c1": OPTED_OUT, "c2": SENT}
    assert account.lists() == {CAMPAIGN: {"c2@example.org"}}


@pytest.mark.parametrize("unmarked", [False, True])
def test_who_is_not_taken_by_the_segment_has_a_result_of_their_own(unmarked):
    account = MailchimpAccount(contacts=2)
    account.server.unmarked = unmarked

    def archive(request):
        if "members_to_add" in (request.body or {}):
            next(one for one in account.server.members.values() if one.email == "c1@example.org").status = "archived"

    account.server.intervene = archive
    with account.destination() as destination:
        found = send(destination, numbered(2))
    assert found["c1"][0] == "refused"
    assert found["c2"] == SENT


def test_a_segment_that_finds_its_members_by_itself_stops_it():
    account = MailchimpAccount()
    account.server.add_segment(CAMPAIGN, type="saved")
    with account.destination() as destination, pytest.raises(MailchimpRefused, match="is not static"):
        destination.check(SendRequest(CAMPAIGN, numbered(0)))


def test_segments_and_members_on_later_pages_are_found():
    account = MailchimpAccount(contacts=1)
    for number in range(1_000):
        account.server.add_segment(f"segment {number}")
    account.server.add_segment(CAMPAIGN.upper(), *(f"x{number}@example.org" for number in range(1_001)))
    with account.destination() as destination, pytest.raises(MailchimpRefused, match="with 1,001 members"):
        send(destination, numbered(1))


def test_four_connections_are_used_at_most():
    account = MailchimpAccount(contacts=40)
    with account.destination() as destination:
        send(destination, numbered(40))
    assert 1 <= account.server.most_at_once <= 4


def test_too_many_connections_and_a_proxys_403_are_waited_for_although_nobody_says_how_long():
    account = MailchimpAccount(contacts=1)
    page = Answer(403, {}, {"content-type": "text/html"})
    account.server.intervene = lambda request: {1: too_many_at_once(), 2: page}.get(request.number)
    with account.destination() as destination:
        assert send(destination, numbered(1)) == {"c1": SENT}
    assert account.clock.waited == [2.0, 3.0]


def test_a_server_that_stays_busy_is_given_up():
    account = MailchimpAccount()
    account.server.intervene = first(10_000, too_many_at_once())
    with account.destination() as destination, pytest.raises(MailchimpUnreachable, match="answers 429"):
        destination.check(SendRequest(CAMPAIGN, numbered(0)))


def test_the_data_centre_is_that_of_the_key():
    given = MailchimpSettings(api_key=KEY, audience="a1")
    assert MailchimpMembers.read(given).api.url == "https://us6.api.mailchimp.com"
    with pytest.raises(SettingsError, match="does not end with its data centre") as refused:
        MailchimpMembers.read(MailchimpSettings(api_key="hunter2", audience="a1"))
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"api_key": KEY.replace("us6", "us9")}, "another datacenter.*data centre"),
        ({"audience": "elsewhere"}, "answers 404.*MAILCHIMP_AUDIENCE"),
    ],
)
def test_another_data_centre_or_audience_is_named_before_a_launch(given, message):
    account = MailchimpAccount()
    with account.destination(**given) as destination, pytest.raises(MailchimpRefused, match=message):
        destination.check(SendRequest(CAMPAIGN, numbered(0)))


@pytest.mark.parametrize(
    ("given", "missing"),
    [({}, r"MAILCHIMP_API_KEY is missing.*MAILCHIMP_BLOCK"), ({"api_key": KEY}, "MAILCHIMP_AUDIENCE")],
)
def test_what_is_missing_is_asked_for(given, missing):
    with pytest.raises(SettingsError, match=missing):
        MailchimpMembers.read(MailchimpSettings(**given))


@pytest.mark.parametrize(("status", "result"), [("transactional", "opted_out"), ("archived", "not_found")])
def test_an_opt_out_from_here_ends_what_may_become_a_subscription_and_brings_nobody_back(status, result):
    account = MailchimpAccount()
    account.server.add("c1@example.org", status=status)
    with account.destination(suppress_opt_outs=True) as destination:
        (found,) = destination.opt_out(numbered(1))
    assert found["result"].to_pylist() == [result]
    assert account.is_out("c1@example.org") == (result == "opted_out")
