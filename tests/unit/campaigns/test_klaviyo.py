"""Customers sent to Klaviyo, over HTTP, against a stand-in that is as particular as Klaviyo says that it is."""

import logging
from contextlib import contextmanager

import pytest

from flows.adapters.klaviyo.api import SCOPES
from flows.adapters.klaviyo.destination import KlaviyoProfiles
from flows.adapters.server_api import RetryPolicy
from flows.errors import KlaviyoRefused, KlaviyoUnreachable, PipelineError, SettingsError
from flows.ports.destination import RESULTS, SendRequest
from flows.settings import KlaviyoSettings
from tests.examples.people import numbered, people
from tests.stand_ins.hubspot import DO_AND_HANG_UP, HANG_UP, SERVER_ERROR, Answer, first, too_many_requests
from tests.stand_ins.klaviyo import KEY, Klaviyo

CAMPAIGN = "spring"
SENT = ("sent", None)


class Clock:
    """Time that passes by being waited for."""

    def __init__(self):
        self.now, self.waited = 0.0, []

    def wait(self, seconds):
        self.waited.append(seconds)
        self.now += seconds


@contextmanager
def sending_to(klaviyo, clock=None, **more):
    clock = clock or Clock()
    with klaviyo.serving() as url:
        settings = KlaviyoSettings(api_key=KEY, base_url=url, **more)
        yield KlaviyoProfiles.read(settings, RetryPolicy(clock.wait, lambda: clock.now))


def send(destination, who, audience=CAMPAIGN, members=None, recorded=None, is_resumed=False):
    """The result of each, as a caller records it, including those before a failure."""
    recorded = {} if recorded is None else recorded
    everybody = {address for address in (members or who).column("email").to_pylist() if address}
    for table in destination.send(SendRequest(audience, who, everybody, is_resumed)):
        assert table.schema == RESULTS
        for row in table.to_pylist():
            assert row["customer_id"] not in recorded
            recorded[row["customer_id"]] = (row["result"], row["detail"])
    return recorded


def account(profiles, intervene=lambda request: None):
    """c1@example.org and so on are profiles."""
    klaviyo = Klaviyo(intervene)
    for number in range(1, profiles + 1):
        klaviyo.add(f"c{number}@example.org", properties={"favourite": "blue"})
    return klaviyo


def writes(klaviyo):
    return [
        request for request in klaviyo.requests if request.path.endswith(("profile-import", "relationships/profiles"))
    ]


def test_profiles_get_their_figures_keep_the_others_and_are_in_the_campaigns_list():
    klaviyo = account(3)
    klaviyo.profiles["P3"].properties["churn_probability"] = 0.5
    who = people({"customer_id": "c1"}, {"customer_id": "c3", "churn_probability": None, "email": " C3@Example.org"})
    with sending_to(klaviyo) as destination:
        assert send(destination, who) == {"c1": SENT, "c3": SENT}
    assert klaviyo.profiles["P1"].properties == {
        "favourite": "blue", "customer_id": "c1", "rfm_segment": "At risk", "churn_risk_band": "high",
        "churn_lifecycle": "slipping", "churn_queue": "keep", "churn_probability": 0.8123, "expected_spend": 61.24,
        "churn_clv": 210.99, "expected_loss": 80.46, "win_back_value": 35.13, "churn_reason": "Last order 96 days ago",
        "recommended_action": "Personal win-back", "last_offer": "-20% on everything", "last_campaign": CAMPAIGN,
        "currency": "EUR", "next_product_1": "P014", "next_product_2": "P043", "next_category_1": "tea",
    }  # fmt: skip
    assert "churn_probability" not in klaviyo.profiles["P3"].properties
    assert klaviyo.profiles["P2"].properties == {"favourite": "blue"}
    assert klaviyo.members() == {CAMPAIGN: {"c1@example.org", "c3@example.org"}}


def test_those_who_get_a_variant_are_in_a_list_of_their_own_too():
    klaviyo = account(3)
    who = people(*({"customer_id": f"c{n}", "variant": "hats" if n == 2 else "shoes"} for n in (1, 2, 3)))
    with sending_to(klaviyo) as destination:
        send(destination, who)
    assert {name: len(members) for name, members in klaviyo.members().items()} == {
        CAMPAIGN: 3, f"{CAMPAIGN} shoes": 2, f"{CAMPAIGN} hats": 1,
    }  # fmt: skip


def test_segments_alone_make_no_list_and_say_nothing_of_a_campaign():
    klaviyo = account(1)
    with sending_to(klaviyo) as destination:
        assert send(destination, numbered(1), audience=None) == {"c1": SENT}
    assert not {"last_campaign", "last_offer", "last_variant"} & set(klaviyo.profiles["P1"].properties)
    assert klaviyo.lists == {}


@pytest.mark.parametrize("create_profiles", [False, True])
def test_who_is_no_profile_becomes_one_only_where_that_is_wanted(create_profiles):
    klaviyo = account(1)
    with sending_to(klaviyo, create_profiles=create_profiles) as destination:
        found = send(destination, numbered(2))
    assert found == {"c1": SENT, "c2": SENT if create_profiles else ("not_found", None)}
    assert len(klaviyo.profiles) == 1 + create_profiles
    assert {profile.consent for profile in klaviyo.profiles.values()} == {"NEVER_SUBSCRIBED"}  # a list gives no consent


@pytest.mark.parametrize("opt_out", [{"consent": "UNSUBSCRIBED"}, {"suppression": [{"reason": "HARD_BOUNCE"}]}])
def test_who_has_opted_out_there_is_left_alone(opt_out):
    klaviyo = account(1)
    klaviyo.add("c2@example.org", **opt_out)
    with sending_to(klaviyo, create_profiles=True) as destination:
        assert send(destination, numbered(3)) == {"c1": SENT, "c2": ("opted_out", None), "c3": SENT}
    assert klaviyo.profiles["P2"].properties == {}
    assert klaviyo.members() == {CAMPAIGN: {"c1@example.org", "c3@example.org"}}


def test_who_comes_and_opts_out_meanwhile_is_not_in_the_list():
    klaviyo = account(0)

    def appears(request):
        if request.path.endswith("profile-import") and not klaviyo.profiles:
            klaviyo.add("c1@example.org", consent="UNSUBSCRIBED")

    klaviyo.intervene = appears
    with sending_to(klaviyo, create_profiles=True) as destination:
        assert send(destination, numbered(2)) == {"c1": ("opted_out", None), "c2": SENT}
    assert klaviyo.members() == {CAMPAIGN: {"c2@example.org"}}


def test_customers_without_an_address_are_reported_and_klaviyo_is_not_called():
    klaviyo = account(1)
    with sending_to(klaviyo) as destination:
        who = people({"customer_id": "c1", "email": None}, {"customer_id": "c2", "email": "  "})
        assert send(destination, who) == {"c1": ("no_address", None), "c2": ("no_address", None)}
    assert klaviyo.requests == []


def test_customers_who_share_an_address_are_one_profile():
    klaviyo = account(2)
    who = people({"customer_id": "c1"}, {"customer_id": "c2"},
                 {"customer_id": "c3", "segment": "Lost", "email": "C1@example.org"})  # fmt: skip
    with sending_to(klaviyo) as destination:
        assert send(destination, who) == {
            "c1": SENT, "c2": SENT, "c3": ("sent", "Another customer has the same address."),
        }  # fmt: skip
    assert klaviyo.profiles["P1"].properties["rfm_segment"] == "At risk"


def test_a_bad_address_is_refused_alone_and_not_repeated_in_the_detail():
    klaviyo = account(0)
    who = people({"customer_id": "c1"}, {"customer_id": "c2", "email": 'od"d@nowhere'}, {"customer_id": "c3"})
    with sending_to(klaviyo, create_profiles=True) as destination:
        found = send(destination, who)
    assert found.pop("c2") == ("refused", "Invalid email address: …")
    assert set(found.values()) == {SENT}


def test_a_profile_deleted_meanwhile_is_refused_and_not_made_again():
    klaviyo = account(2)

    def deleted(request):
        if request.path.endswith("profile-import"):
            klaviyo.profiles.pop("P1", None)

    klaviyo.intervene = deleted
    with sending_to(klaviyo) as destination:
        found = send(destination, numbered(2))
    assert found["c1"][0] == "refused"
    assert found["c2"] == SENT
    assert set(klaviyo.profiles) == {"P2"}


def test_more_than_a_page_is_found_and_a_rerun_leaves_the_others_alone():
    klaviyo = account(250)
    with sending_to(klaviyo) as destination:
        assert set(send(destination, numbered(150), members=numbered(250)).values()) == {SENT}
        before = len(writes(klaviyo))
        send(destination, numbered(100, first=151), members=numbered(250))
    assert len(writes(klaviyo)) - before == 101
    assert len(klaviyo.members()[CAMPAIGN]) == 250


def test_to_send_everybody_again_changes_nothing():
    klaviyo = account(3)
    with sending_to(klaviyo, create_profiles=True) as destination:
        found = send(destination, numbered(5))
        state = klaviyo.state()
        assert send(destination, numbered(5)) == found
    assert klaviyo.state() == state


@pytest.mark.parametrize("way", [HANG_UP, DO_AND_HANG_UP, SERVER_ERROR], ids=["not done", "done", "out of order"])
def test_wherever_it_fails_once_it_ends_as_if_it_had_not(way, caplog):
    caplog.set_level(logging.ERROR)
    whole = account(3)
    with sending_to(whole, create_profiles=True) as destination:
        expected = send(destination, numbered(4))
    for number in range(1, len(whole.requests) + 1):
        klaviyo = account(3, lambda request, number=number: way if request.number == number else None)
        with sending_to(klaviyo, create_profiles=True) as destination:
            assert send(destination, numbered(4)) == expected
        assert klaviyo.state() == whole.state(), number
        assert len(klaviyo.lists) == 1, number


def test_after_an_interruption_what_was_recorded_is_sent_and_a_rerun_sends_the_rest():
    klaviyo = account(150)
    klaviyo.intervene = lambda request: Answer(401, {}) if request.number > 120 else None
    recorded = {}
    with sending_to(klaviyo) as destination:
        with pytest.raises(KlaviyoRefused):
            send(destination, numbered(150), recorded=recorded)
        assert len(recorded) == 100
        klaviyo.intervene = lambda request: None
        send(destination, numbered(50, first=101), members=numbered(150), recorded=recorded, is_resumed=True)
    assert set(recorded.values()) == {SENT}
    assert len(klaviyo.members()[CAMPAIGN]) == 150


def test_a_list_of_somebody_else_stops_the_campaign_before_anything_is_sent():
    klaviyo = account(3)
    klaviyo.add_list(CAMPAIGN, "P3")
    with sending_to(klaviyo) as destination:
        with pytest.raises(KlaviyoRefused, match='already has a list "spring" with 1 members who are not in'):
            send(destination, numbered(2))
        klaviyo.add_list(CAMPAIGN)
        with pytest.raises(KlaviyoRefused, match='has 2 lists "spring"'):
            destination.check(SendRequest(CAMPAIGN, numbered(2)))
    assert writes(klaviyo) == []


def test_the_control_group_is_listed_and_nobody_is_changed_or_suppressed():
    klaviyo = account(2)
    with sending_to(klaviyo, create_profiles=True) as destination:
        assert destination.suppress(SendRequest(CAMPAIGN, numbered(3))) == 'the list "spring control group" of Klaviyo'
    assert klaviyo.members() == {"spring control group": {"c1@example.org", "c2@example.org"}}
    assert {tuple(profile.properties) for profile in klaviyo.profiles.values()} == {("favourite",)}
    assert not any(profile.suppression for profile in klaviyo.profiles.values())


def test_the_pace_is_kept_and_a_pause_that_is_asked_for_is_made():
    klaviyo, clock = account(20, first(1, too_many_requests(7))), Clock()
    with sending_to(klaviyo, clock) as destination:
        assert set(send(destination, numbered(20)).values()) == {SENT}
    assert 7.0 in clock.waited
    assert clock.now >= (len(klaviyo.requests) - 1) * 60 / 700


def test_a_server_that_stays_silent_is_given_up_after_minutes_without_showing_the_key():
    with sending_to(account(1, lambda request: HANG_UP)) as destination, pytest.raises(KlaviyoUnreachable) as problem:
        send(destination, numbered(1))
    assert KEY not in str(problem.value)


@pytest.mark.parametrize(("path", "scopes"), [("lists", SCOPES), ("profiles", SCOPES)])
def test_a_key_without_a_right_is_refused_before_a_launch(path, scopes):
    klaviyo = account(1)
    klaviyo.refuses = {path}
    with sending_to(klaviyo) as destination, pytest.raises(PipelineError) as problem:
        destination.check(SendRequest(CAMPAIGN, numbered(1)))
    assert all(scope in str(problem.value) for scope in scopes)
    assert writes(klaviyo) == []


def test_a_missing_key_is_asked_for():
    with pytest.raises(SettingsError, match="KLAVIYO_API_KEY is missing"):
        KlaviyoProfiles.read(KlaviyoSettings())
