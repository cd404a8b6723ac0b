"""What is Klaviyo's own, over HTTP, against a stand-in that is as particular as Klaviyo says that it is."""

from contextlib import contextmanager

import pytest

from flows.adapters.klaviyo.api import SCOPES
from flows.adapters.klaviyo.destination import KlaviyoProfiles
from flows.adapters.server_api import RetryPolicy
from flows.errors import KlaviyoRefused, PipelineError, SettingsError
from flows.ports.destination import SendRequest
from flows.settings import KlaviyoSettings
from tests.examples.contact_accounts import Clock
from tests.examples.people import numbered, people
from tests.stand_ins.hubspot import too_many_requests
from tests.stand_ins.json_server import first
from tests.stand_ins.klaviyo import KEY, Klaviyo
from tests.unit.campaigns.test_contact_services import CAMPAIGN, SENT, send


@contextmanager
def sending_to(klaviyo, clock=None, **more):
    clock = clock or Clock()
    with klaviyo.serving() as url:
        settings = KlaviyoSettings(api_key=KEY, base_url=url, **more)
        yield KlaviyoProfiles.read(settings, RetryPolicy(clock.wait, clock.read))


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
        "currency": "EUR", "next_product_1": "P014", "next_product_2": "P043", "next_product_name_1": "Teapot",
        "next_category_1": "tea",
    }  # fmt: skip
    assert "churn_probability" not in klaviyo.profiles["P3"].properties
    assert klaviyo.profiles["P2"].properties == {"favourite": "blue"}
    assert klaviyo.members() == {CAMPAIGN: {"c1@example.org", "c3@example.org"}}


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


def test_more_than_a_page_is_found_and_a_rerun_leaves_the_others_alone():
    klaviyo = account(250)
    with sending_to(klaviyo) as destination:
        assert set(send(destination, numbered(150), members=numbered(250)).values()) == {SENT}
        before = len(writes(klaviyo))
        send(destination, numbered(100, first=151), members=numbered(250))
    assert len(writes(klaviyo)) - before == 101
    assert len(klaviyo.members()[CAMPAIGN]) == 250


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
