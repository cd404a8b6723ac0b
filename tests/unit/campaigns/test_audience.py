import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from flows.campaigns.audience import (
    ADVERTISING_UNKNOWN,
    AGAINST_ADVERTISING,
    CONSENT_UNKNOWN,
    CONTACTED_LATELY,
    GLOBAL_HOLDOUT,
    NO_ADDRESS,
    OPTED_OUT,
    OTHER_CAMPAIGN,
    SAME_ADDRESS,
    screen_eligibility,
)
from flows.errors import BadInput
from flows.sources.connections import Contacts
from tests.examples.candidates import campaign, candidates


def screened(customers, global_holdout=0.0, **changes):
    return screen_eligibility(customers, campaign(**{"destination": "mailchimp"} | changes), global_holdout)


def test_the_audience_is_who_is_in_the_segments_and_risk_bands():
    found = screened(candidates(), audience={"segments": ["Lost"], "risk_bands": ["high", "medium"]})
    assert set(found.eligible["segment"].to_pylist()) == {"Lost"}
    assert set(found.eligible["risk_band"].to_pylist()) == {"high", "medium"}
    assert found.audience_size == len(found.eligible)


def test_the_audience_may_be_of_some_countries_and_channels_and_from_a_spend_on():
    customers = candidates(
        6,
        country=["France", "Germany", "France", None, "France", "France"],
        channel=["email", "email", "social", "email", None, "email"],
        spend_last_365_days=pa.array([100.0, 500.0, 500.0, 500.0, 500.0, 99.9]),
    )
    found = screened(customers, audience={"countries": ["France"], "channels": ["email"], "min_spend": 100})
    assert found.eligible["customer_id"].to_pylist() == ["C00000"]
    assert found.audience_size == 1


def test_who_has_spent_nothing_that_is_known_is_below_any_spend():
    nothing = candidates(2, spend_last_365_days=pa.array([None, 5.0]))
    assert screened(nothing, audience={"min_spend": 1}).eligible["customer_id"].to_pylist() == ["C00001"]


def test_everybody_who_is_kept_out_is_counted_with_the_reason():
    found = screened(
        candidates(
            5,
            opted_out=pa.array([True, None, False, False, None]),
            email=[None, None, "c@x.org", "d@x.org", "e@x.org"],
            open_campaign=pa.array([None, None, "winter", None, None]),
            contacts_lately=pa.array([0, 0, 0, 1, 0]),
        )
    )
    assert found.eligible["customer_id"].to_pylist() == ["C00004"]
    assert found.excluded == {OPTED_OUT: 1, NO_ADDRESS: 1, OTHER_CAMPAIGN: 1, CONTACTED_LATELY: 1}


def test_a_campaign_that_needs_no_address_requires_none():
    assert len(screened(candidates(5, email=pa.nulls(5, pa.string())), destination="csv").eligible) == 5


def test_known_consent_takes_only_those_whose_contact_states_it():
    found = screened(candidates(5, opted_out=pa.array([False, None, None, False, None])), audience={"consent": "known"})
    assert found.eligible["customer_id"].to_pylist() == ["C00000", "C00003"]
    assert found.excluded == {CONSENT_UNKNOWN: 3}


@pytest.mark.parametrize("destination", ["google", "meta"])
def test_ads_are_for_those_who_consent_to_them_and_the_others_are_counted_by_what_is_known(destination):
    people = candidates(
        5, consents_to_advertising=["yes", "no", "unknown", "unknown", "yes"], opted_out=[False] * 4 + [True]
    )
    found = screened(people, destination=destination)
    assert found.eligible["customer_id"].to_pylist() == ["C00000"]
    assert found.excluded == {OPTED_OUT: 1, AGAINST_ADVERTISING: 1, ADVERTISING_UNKNOWN: 2}


@pytest.mark.parametrize("destination", ["csv", "mailchimp", "hubspot", "klaviyo_api"])
def test_consent_to_advertising_says_nothing_about_e_mails(destination):
    people = candidates(3, consents_to_advertising=["no", "unknown", "no"])
    assert len(screened(people, destination=destination).eligible) == 3


def test_where_nobody_is_known_to_consent_to_ads_the_line_to_write_is_named():
    nobody = candidates(1_000, consents_to_advertising=["no"] * 10 + ["unknown"] * 990)
    with pytest.raises(BadInput, match="10 refuse it, of 990 it is not known") as refused:
        screened(nobody, destination="google")
    _, line = str(refused.value).split("\n\n")
    assert yaml.safe_load(line) == {"contacts": {"advertising_consent": "given"}}
    Contacts(**yaml.safe_load(line)["contacts"])


def test_more_contacts_are_taken_where_the_cap_allows_them():
    once_or_twice = candidates(5, contacts_lately=pa.array([0, 1, 2, 1, 0]))
    assert screened(once_or_twice, contact_cap={"contacts": 2, "days": 30}).excluded == {CONTACTED_LATELY: 1}


def test_who_is_in_the_global_holdout_is_kept_apart_and_noted():
    found = screened(candidates(), global_holdout=0.2)
    assert found.excluded == {GLOBAL_HOLDOUT: len(found.global_holdout_members)}
    assert 150 < len(found.global_holdout_members) < 250


def test_who_was_ever_in_the_global_holdout_stays_in_it_though_the_setting_is_missing():
    found = screened(candidates(5, was_never_contacted=[True, False, False, False, True]))
    assert found.excluded == {GLOBAL_HOLDOUT: 2}
    assert found.global_holdout_members["customer_id"].to_pylist() == ["C00000", "C00004"]


def test_of_several_customers_with_one_address_one_is_eligible():
    same = candidates(5, email=["a@x.org", "b@x.org", "A@x.org ", None, None])
    found = screened(same, destination="csv")
    assert found.eligible["customer_id"].to_pylist() == ["C00000", "C00001", "C00003", "C00004"]
    assert found.excluded == {SAME_ADDRESS: 1}


def of_five(*usual, rarely=()):
    """One value for each of five customers."""
    return st.lists(st.sampled_from(usual * 9 + rarely), min_size=5, max_size=5)


# each reason is rare, or hardly ever two customers with the same address would be left
@given(
    may=of_five(True, rarely=(False,)),
    out=of_five(False, None, rarely=(True,)),
    email=of_five("a@x.org", " A@x.org", "b@x.org", rarely=(None,)),
    running=of_five(None, rarely=("winter",)),
    lately=of_five(0, rarely=(1, 2)),
    share=st.sampled_from([0.0, 0.3]),
)
def test_nobody_is_lost_and_nobody_who_must_not_be_contacted_is_eligible(may, out, email, running, lately, share):
    customers = candidates(
        5,
        may_be_contacted=[wanted and not gone for wanted, gone in zip(may, out, strict=True)],
        opted_out=pa.array(out, pa.bool_()),
        email=pa.array(email, pa.string()),
        open_campaign=pa.array(running, pa.string()),
        contacts_lately=pa.array(lately, pa.int64()),
    )
    found = screened(customers, global_holdout=share)
    assert len(found.eligible) + sum(found.excluded.values()) == 5
    eligible = found.eligible
    assert pc.all(eligible["may_be_contacted"]).as_py() in (True, None)
    assert eligible["email"].null_count == 0
    assert len({email.strip().lower() for email in eligible["email"].to_pylist()}) == len(eligible)
    assert eligible["open_campaign"].null_count == len(eligible)
    assert all(count == 0 for count in eligible["contacts_lately"].to_pylist())
    assert not set(eligible["customer_id"].to_pylist()) & set(found.global_holdout_members["customer_id"].to_pylist())


def test_the_audience_may_be_of_some_languages_and_unknown_is_none_of_them():
    customers = candidates(4).append_column("language", pa.array(["fr", "de", None, "nl"]))
    found = screened(customers, audience={"languages": ["fr", "nl"]})
    assert found.eligible["customer_id"].to_pylist() == ["C00000", "C00003"]


def test_the_audience_may_be_of_those_who_bought_something():
    customers = candidates(4).append_column("has_bought", pa.array([True, False, True, False]))
    found = screened(customers, audience={"bought": {"category": "tea", "due": True}})
    assert found.eligible["customer_id"].to_pylist() == ["C00000", "C00002"]
