"""What is Brevo's own, over HTTP, against a stand-in that is as particular as Brevo says that it is."""

import pytest

from flows.adapters.brevo.destination import FIELDS, BrevoContacts
from flows.errors import BrevoRefused, SettingsError
from flows.ports.destination import SendRequest
from flows.settings import BrevoSettings
from tests.examples.contact_accounts import BrevoAccount
from tests.examples.people import numbered, people
from tests.stand_ins.brevo import BUILT_IN
from tests.stand_ins.json_server import Answer
from tests.unit.campaigns.test_contact_services import CAMPAIGN, NOT_FOUND, OPTED_OUT, SENT, send


def test_contacts_get_the_attributes_of_the_importers_file():
    account = BrevoAccount(contacts=1)
    with account.destination() as destination:
        send(destination, numbered(1))
    assert account.fields("c1@example.org") == {
        "CUSTOMER_ID": "c1", "SEGMENT": "At risk", "RISK_BAND": "high", "LIFECYCLE": "slipping", "QUEUE": "keep",
        "CHURN_PROBABILITY": 0.8123, "EXPECTED_SPEND": 61.24, "CLV": 210.99, "EXPECTED_LOSS": 80.46,
        "WIN_BACK_VALUE": 35.13, "REASON": "Last order 96 days ago", "RECOMMENDED_ACTION": "Personal win-back",
        "NEXT_PRODUCT_1": "P014", "NEXT_PRODUCT_2": "P043", "NEXT_PRODUCT_NAME_1": "Teapot",
        "NEXT_CATEGORY_1": "tea",
        "OFFER": "-20% on everything", "CURRENCY": "EUR", "CAMPAIGN": CAMPAIGN,
    }  # fmt: skip


def test_attributes_that_are_missing_are_made_once():
    account = BrevoAccount(contacts=1)
    with account.destination() as destination:
        send(destination, numbered(1), audience=None)
        assert not {"OFFER", "VARIANT", "CAMPAIGN"} & set(account.server.attributes)
        send(destination, numbered(1))
        made = [request for request in account.server.requests if "attributes/normal" in request.path]
        send(destination, numbered(1))
    assert account.server.attributes == BUILT_IN | {one.name: "float" if one.is_number else "text" for one in FIELDS}
    assert len(made) == len(FIELDS)


def test_an_attribute_of_another_type_whose_values_brevo_would_ignore_stops_it_before_anything_is_sent():
    account = BrevoAccount(contacts=1)
    account.server.attributes["CLV"] = "text"
    with account.destination() as destination, pytest.raises(BrevoRefused, match=r"attribute CLV \(normal, text\)"):
        send(destination, numbered(1))
    assert account.fields("c1@example.org") == {}


def test_an_attribute_deleted_meanwhile_stops_it_instead_of_refusing_everybody():
    account = BrevoAccount(contacts=1)

    def delete(request):
        if request.method == "PUT":
            account.server.attributes.pop("CLV", None)

    account.server.intervene = delete
    with account.destination() as destination, pytest.raises(BrevoRefused, match="Attribute not found: CLV"):
        send(destination, numbered(1))


def test_lists_are_in_a_folder_of_our_own_and_lists_elsewhere_are_left_alone():
    account = BrevoAccount(contacts=1)
    elsewhere = account.server.add_list(CAMPAIGN, folder="Newsletters")
    for number in range(60):  # more than a page of folders, and of lists
        account.server.add_list(f"list {number}", folder="RFM and churn")
        account.server.add_list("list", folder=f"Folder {number}")
    with account.destination() as destination:
        send(destination, numbered(1))
        send(destination, numbered(1))
    (ours,) = (of for one, of in account.server.lists.items() if of.name == CAMPAIGN and one != elsewhere)
    assert account.server.folders[ours.folder] == "RFM and churn"
    assert len(ours.members) == 1
    assert account.server.lists[elsewhere].members == set()


def test_two_lists_of_one_name_in_our_folder_stop_it():
    account = BrevoAccount()
    account.server.add_list(CAMPAIGN)
    account.server.add_list(CAMPAIGN)
    with account.destination() as destination, pytest.raises(BrevoRefused, match='has 2 lists "spring"'):
        destination.check(SendRequest(CAMPAIGN, numbered(0)))


def test_more_members_than_a_page_are_compared():
    account = BrevoAccount(contacts=501)
    account.add_list(CAMPAIGN, *(f"c{number}@example.org" for number in range(1, 502)))
    with account.destination() as destination, pytest.raises(BrevoRefused, match="with 1 members"):
        send(destination, numbered(1), members=numbered(500))


def test_who_leaves_before_they_are_listed_is_not_found():
    account = BrevoAccount(contacts=2)

    def delete(request):
        if request.path.endswith("/contacts/add"):
            account.delete("c1@example.org")

    account.server.intervene = delete
    with account.destination() as destination:
        assert send(destination, numbered(2)) == {"c1": NOT_FOUND, "c2": SENT}


def test_who_is_blocklisted_while_they_are_added_has_opted_out():
    account = BrevoAccount()

    def appear(request):
        if request.method == "POST" and request.path == "/v3/contacts":
            account.add("c1@example.org", opted_out=True)

    account.server.intervene = appear
    with account.destination(may_create=True) as destination:
        assert send(destination, numbered(1)) == {"c1": OPTED_OUT}
    assert account.is_out("c1@example.org")
    assert account.lists() == {CAMPAIGN: set()}


def test_no_request_names_an_address_to_update_or_lifts_a_blocklisting():
    account = BrevoAccount(contacts=2)
    with account.destination(may_create=True, suppress_opt_outs=True) as destination:
        send(destination, numbered(3))
        list(destination.opt_out(numbered(2)))
    bodies = [request.body for request in account.server.requests if request.body]
    assert not any("EMAIL" in body.get("attributes", {}) or body.get("emailBlacklisted") is False for body in bodies)


def test_ten_requests_in_a_second_are_not_exceeded_and_a_pause_that_is_asked_for_is_made():
    account = BrevoAccount(contacts=60)
    asked = {"x-sib-ratelimit-remaining": "0", "x-sib-ratelimit-reset": "37"}
    busy = Answer(429, {"code": "too_many_requests", "message": "Too many requests"}, asked)
    with account.destination() as destination:
        send(destination, numbered(60))
        assert account.clock.now == pytest.approx(
            0.12 * (len(account.server.requests) - 1)
        )  # and none had to be repeated
        account.server.intervene = lambda request: busy if request.number == before else None
        before = len(account.server.requests) + 1
        send(destination, numbered(1), members=numbered(60))
    assert 37.0 in account.clock.waited


def test_the_stand_in_refuses_who_is_too_fast():
    account = BrevoAccount(contacts=1)
    with account.destination() as destination:
        destination.api.__class__ = type("Hasty", (type(destination.api),), {"seconds_between_requests": 0.0})
        send(destination, people(*({"customer_id": f"c{n}"} for n in range(1, 15))))
    assert account.clock.waited  # it had to wait as the header says


def test_a_plan_without_the_right_is_named():
    account = BrevoAccount()
    account.server.forbids = {"/v3/contacts/folders"}
    with account.destination() as destination, pytest.raises(BrevoRefused, match="answers 403: permission_denied"):
        destination.check(SendRequest(CAMPAIGN, numbered(0)))


def test_a_missing_key_is_asked_for():
    with pytest.raises(SettingsError, match=r"BREVO_API_KEY is missing.*BREVO_BLOCK"):
        BrevoContacts.read(BrevoSettings())


def test_the_call_for_batches_that_brevo_has_ended_and_imports_that_tell_no_results_are_not_used():
    account = BrevoAccount(contacts=3)
    with account.destination() as destination:
        send(destination, numbered(3))
    assert not any(request.path.endswith(("/batch", "/import")) for request in account.server.requests)
