"""What holds for every service with contacts, over HTTP, against stand-ins that are as particular as the services say
that they are."""

import logging

import pytest

from flows.errors import PipelineError
from flows.ports.destination import RESULTS, SendRequest, TakesOptOuts
from tests.examples.contact_accounts import ACCOUNTS, BrevoAccount, MailchimpAccount
from tests.examples.people import numbered, people
from tests.stand_ins.json_server import DO_AND_HANG_UP, HANG_UP, SERVER_ERROR, Answer

CAMPAIGN = "spring"
SENT, NOT_FOUND, OPTED_OUT = ("sent", None), ("not_found", None), ("opted_out", None)
TOLD = (BrevoAccount, MailchimpAccount)


@pytest.fixture(params=ACCOUNTS, ids=lambda kind: kind.name)
def kind(request):
    return request.param


def collect(tables, recorded):
    for table in tables:
        assert table.schema == RESULTS
        for row in table.to_pylist():
            assert row["customer_id"] not in recorded
            recorded[row["customer_id"]] = (row["result"], row["detail"])
    return recorded


def send(destination, who, audience=CAMPAIGN, members=None, recorded=None, is_resumed=False):
    """The result of each, as a caller records it, including those before a failure."""
    everybody = {address for address in (members or who).column("email").to_pylist() if address}
    request = SendRequest(audience, who, everybody, is_resumed)
    return collect(destination.send(request), {} if recorded is None else recorded)


def failing(account, way, number):
    account.server.intervene = lambda request: way if request.number == number else None
    return account


def test_contacts_get_their_figures_and_are_in_the_campaigns_list_and_nobody_else_is(kind):
    account = kind(contacts=3)
    with account.destination() as destination:
        assert send(destination, people({"customer_id": "c1"}, {"customer_id": "c3"})) == {"c1": SENT, "c3": SENT}
    assert account.fields("c1@example.org")[account.segment] == "At risk"
    assert {0.8123, 61.24, 210.99, "-20% on everything", "P014"} <= set(account.fields("c1@example.org").values())
    assert account.fields("c2@example.org") == {}
    assert account.lists() == {CAMPAIGN: {"c1@example.org", "c3@example.org"}}


def test_what_is_no_longer_known_is_cleared(kind):
    account = kind(contacts=1)
    with account.destination() as destination:
        send(destination, numbered(1))
        send(destination, people({"customer_id": "c1", "churn_probability": None, "next_product_1": None}))
    assert not {0.8123, "P014"} & set(account.fields("c1@example.org").values())


def test_those_who_get_a_variant_are_in_a_list_of_their_own_too(kind):
    account = kind(contacts=3)
    who = people(*({"customer_id": f"c{n}", "variant": "hats" if n == 2 else "shoes"} for n in (1, 2, 3)))
    with account.destination() as destination:
        send(destination, who)
    assert {name: len(members) for name, members in account.lists().items()} == {
        CAMPAIGN: 3, f"{CAMPAIGN} shoes": 2, f"{CAMPAIGN} hats": 1,
    }  # fmt: skip


def test_segments_alone_make_no_list_and_say_nothing_of_a_campaign(kind):
    account = kind(contacts=1)
    with account.destination() as destination:
        assert send(destination, numbered(1), audience=None) == {"c1": SENT}
    assert account.lists() == {}
    assert not {"-20% on everything", CAMPAIGN} & set(account.fields("c1@example.org").values())


@pytest.mark.parametrize("may_create", [False, True])
def test_who_is_not_known_there_is_added_only_where_that_is_wanted(kind, may_create):
    account = kind(contacts=1)
    with account.destination(may_create) as destination:
        assert send(destination, numbered(2)) == {"c1": SENT, "c2": SENT if may_create else NOT_FOUND}
    assert len(account.known()) == 1 + may_create
    assert len(account.lists()[CAMPAIGN]) == 1 + may_create


def test_who_has_opted_out_there_is_left_alone(kind):
    account = kind(contacts=1)
    account.add("c2@example.org", opted_out=True)
    with account.destination(may_create=True) as destination:
        assert send(destination, numbered(3)) == {"c1": SENT, "c2": OPTED_OUT, "c3": SENT}
    assert account.fields("c2@example.org") == {}
    assert account.is_out("c2@example.org")
    assert account.lists() == {CAMPAIGN: {"c1@example.org", "c3@example.org"}}


def test_who_has_no_address_is_not_sent_and_who_shares_one_shares_its_result(kind):
    account = kind(contacts=1)
    who = people(
        {"customer_id": "c1"}, {"customer_id": "c2", "email": None}, {"customer_id": "c3", "email": " C1@Example.org "},
        {"customer_id": "c4", "email": "C1@example.org", "segment": "Champions"},
    )  # fmt: skip
    shared = ("sent", "Another customer has the same address.")
    with account.destination() as destination:
        found = send(destination, who)
    assert found == {"c1": SENT, "c2": ("no_address", None), "c3": shared, "c4": shared}
    assert account.fields("c1@example.org")[account.segment] == "At risk"


def test_a_bad_address_is_refused_alone_and_not_repeated_in_the_detail(kind):
    account = kind()
    who = people({"customer_id": "c1"}, {"customer_id": "c2", "email": 'od"d@nowhere'}, {"customer_id": "c3"})
    with account.destination(may_create=True) as destination:
        found = send(destination, who)
    result, detail = found.pop("c2")
    assert result == "refused"
    assert "…" in detail
    assert "nowhere" not in detail
    assert set(found.values()) == {SENT}


def test_a_contact_deleted_while_it_is_sent_is_not_made_again(kind):
    account = kind(contacts=2)
    changes = {"klaviyo_api": "profile-import", "brevo_api": "contacts/101", "mailchimp_api": "/members/"}[kind.name]

    def delete(request):
        if request.method != "GET" and changes in request.path:
            account.delete("c1@example.org")

    account.server.intervene = delete
    with account.destination() as destination:
        found = send(destination, numbered(2))
    assert found["c1"][0] in ("not_found", "refused")
    assert found["c2"] == SENT
    assert account.known() == {"c2@example.org"}
    assert account.lists() == {CAMPAIGN: {"c2@example.org"}}


def test_to_send_everybody_again_changes_nothing(kind):
    account = kind(contacts=3)
    with account.destination(may_create=True) as destination:
        found = send(destination, numbered(5))
        state = account.state()
        assert send(destination, numbered(5)) == found
    assert account.state() == state


@pytest.mark.parametrize("way", [HANG_UP, DO_AND_HANG_UP, SERVER_ERROR], ids=["not done", "done", "out of order"])
def test_wherever_it_fails_once_it_ends_as_if_it_had_not(kind, way, caplog):
    caplog.set_level(logging.ERROR)
    whole = kind(contacts=2).with_fields()
    with whole.destination(may_create=True) as destination:
        expected = send(destination, numbered(3))
    for number in range(1, len(whole.server.requests) + 1):
        account = failing(kind(contacts=2).with_fields(), way, number)
        with account.destination(may_create=True) as destination:
            assert send(destination, numbered(3)) == expected, number
        assert account.state() == whole.state(), number


def test_killed_in_the_middle_what_was_recorded_is_sent_and_a_rerun_sends_the_rest(kind):
    account = kind(contacts=130)
    recorded = {}
    with account.destination() as destination:
        batches = destination.send(SendRequest(CAMPAIGN, numbered(130), set(numbered(130)["email"].to_pylist())))
        collect([next(batches)], recorded)
        account.server.intervene = lambda request: Answer(401, {}) if request.method != "GET" else None
        with pytest.raises(account.refused):  # between writing and recording of the second batch
            next(batches)
        assert len(recorded) == 100
        account.server.intervene = lambda request: None
        send(destination, numbered(30, first=101), members=numbered(130), recorded=recorded, is_resumed=True)
    assert set(recorded.values()) == {SENT}
    assert len(account.lists()[CAMPAIGN]) == 130


def test_a_list_with_strangers_stops_the_campaign_before_anything_is_sent(kind):
    account = kind(contacts=3)
    account.add_list(CAMPAIGN, "c1@example.org", "c3@example.org")
    with account.destination() as destination, pytest.raises(account.refused, match=f'"{CAMPAIGN}" with 1 members who'):
        send(destination, numbered(2))
    assert account.fields("c1@example.org") == {}


def test_the_control_group_is_listed_and_nobody_is_changed_added_or_unsubscribed(kind):
    account = kind(contacts=2)
    with account.destination(may_create=True) as destination:
        where = destination.suppress(SendRequest(CAMPAIGN, numbered(3)))
        assert destination.suppress(SendRequest(CAMPAIGN, numbered(3))) == where  # again, after a kill
    assert f'"{CAMPAIGN} control group"' in where
    assert account.lists() == {f"{CAMPAIGN} control group": {"c1@example.org", "c2@example.org"}}
    assert account.state()[0] == {f"c{n}@example.org": ({}, False) for n in (1, 2)}


def test_a_server_that_stays_silent_is_given_up_after_minutes_without_showing_the_key(kind):
    account = kind(contacts=1)
    account.server.intervene = lambda request: HANG_UP
    with account.destination() as destination, pytest.raises(account.unreachable) as problem:
        send(destination, numbered(1))
    assert account.key not in str(problem.value)
    assert account.clock.now >= 300


def test_a_check_before_the_launch_makes_the_list_and_writes_nobody(kind):
    account = kind(contacts=1)
    with account.destination() as destination:
        destination.check(SendRequest(CAMPAIGN, numbered(0)))
    assert account.lists() == {CAMPAIGN: set()}
    assert account.fields("c1@example.org") == {}


# --- opt-outs from here


@pytest.mark.parametrize("kind", TOLD, ids=lambda kind: kind.name, indirect=True)
def test_who_opted_out_here_is_suppressed_there_and_nobody_is_added(kind):
    account = kind(contacts=2)
    account.add("c4@example.org", opted_out=True)
    recorded = {}
    with account.destination(may_create=True, suppress_opt_outs=True) as destination:
        assert isinstance(destination, TakesOptOuts)
        assert destination.suppresses_opt_outs
        collect(destination.opt_out(numbered(4)), recorded)
        assert recorded == {"c1": OPTED_OUT, "c2": OPTED_OUT, "c3": NOT_FOUND, "c4": OPTED_OUT}
        assert send(destination, numbered(2)) == {"c1": OPTED_OUT, "c2": OPTED_OUT}
    assert account.known() == {f"c{n}@example.org" for n in (1, 2, 4)}
    assert all(account.is_out(address) for address in account.known())


@pytest.mark.parametrize("kind", TOLD, ids=lambda kind: kind.name, indirect=True)
def test_nobody_is_suppressed_there_unless_the_shop_says_so(kind):
    with kind().destination() as destination:
        assert not destination.suppresses_opt_outs


@pytest.mark.parametrize("kind", TOLD, ids=lambda kind: kind.name, indirect=True)
def test_a_key_that_it_does_not_take_is_refused_with_the_settings_name_and_without_the_key(kind):
    account = kind(contacts=1)
    wrong = "hunter2-us6"
    with account.destination(api_key=wrong) as destination, pytest.raises(PipelineError, match="_API_KEY") as problem:
        destination.check(SendRequest(CAMPAIGN, numbered(1)))
    assert wrong not in str(problem.value)
