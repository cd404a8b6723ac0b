"""Who is eligible for a campaign, and why others are not: every customer of the audience is counted once."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flows.campaigns.advertising import CONSENTS, is_advertising, require_consent
from flows.campaigns.assignment import in_global_holdout
from flows.campaigns.definition import Audience, Campaign

# Checked for every customer in this order; the first that is true excludes the customer.
OPTED_OUT = "opted out"
CONSENT_UNKNOWN = "no contact record states their consent"
AGAINST_ADVERTISING = "do not consent to advertising"
ADVERTISING_UNKNOWN = "consent to advertising not known"
NO_ADDRESS = "no address"
OTHER_CAMPAIGN = "in another campaign whose window is open"
CONTACTED_LATELY = "contacted lately"
SAME_ADDRESS = "have the address of another customer"
GLOBAL_HOLDOUT = "in the global holdout"  # last: its members are otherwise eligible

# Figures of marts.marketing_customers that are stored for each target as of the launch.
KNOWN_AT_LAUNCH = (
    "segment", "risk_band", "churn_probability", "expected_spend", "recency_days", "frequency", "monetary",
    "tenure_days", "average_order_value", "spend_last_365_days", "spend_last_period", "country", "channel",
)  # fmt: skip


@dataclass(frozen=True)
class EligibilityResult:
    """`audience_size`: customers of the audience. `eligible`: the customers who may be
    contacted. `excluded`: the number of others, by reason. `global_holdout_members`: customers excluded by the global
    holdout alone."""

    audience_size: int
    eligible: pa.Table
    excluded: dict[str, int]
    global_holdout_members: pa.Table


def screen_eligibility(customers: pa.Table, campaign: Campaign, global_holdout: float) -> EligibilityResult:
    """customers: rows of `campaign_tables.read_candidates`; with `language` where the audience has languages,
    and `has_bought` where it has bought something.

    Raises:
        BadInput: when it is for advertising and nobody is known to consent to that.
    """
    require_consent(customers, campaign.destination)
    customers = _in_audience(customers, campaign.audience)
    opted_out = _bools(pc.fill_null(customers["opted_out"], False))
    was_never_contacted = _bools(customers["was_never_contacted"])
    is_in_another = ~_bools(pc.is_null(customers["open_campaign"]))
    # the marts keep these customers off every list for no other reason than a campaign
    is_reserved = ~_bools(customers["may_be_contacted"]) & ~opted_out & ~was_never_contacted
    reasons: dict[str, NDArray[np.bool_]] = {OPTED_OUT: opted_out}
    if campaign.audience.consent == "known":
        reasons[CONSENT_UNKNOWN] = _bools(pc.is_null(customers["opted_out"]))
    if is_advertising(campaign.destination):
        reasons[AGAINST_ADVERTISING] = _bools(pc.equal(customers[CONSENTS], "no"))
        reasons[ADVERTISING_UNKNOWN] = _bools(pc.equal(customers[CONSENTS], "unknown"))
    if campaign.needs_address:
        reasons[NO_ADDRESS] = _bools(pc.is_null(customers["email"]))
    reasons[OTHER_CAMPAIGN] = is_in_another | is_reserved
    reasons[CONTACTED_LATELY] = customers["contacts_lately"].to_numpy() >= campaign.contact_cap.contacts
    reasons[SAME_ADDRESS] = _is_another_with_the_address(customers["email"])

    left, excluded = np.ones(len(customers), dtype=bool), {}
    for reason, applies in reasons.items():
        if out := int((left & applies).sum()):
            excluded[reason] = out
        left &= ~applies
    others = customers.filter(pa.array(left))
    never = _bools(others["was_never_contacted"])  # members stay members, also where the setting is missing
    if global_holdout:
        never |= in_global_holdout(others["customer_id"].to_pylist(), global_holdout)
    if never.any():
        excluded[GLOBAL_HOLDOUT] = int(never.sum())
    return EligibilityResult(len(customers), others.filter(pa.array(~never)), excluded, others.filter(pa.array(never)))


def _in_audience(customers: pa.Table, audience: Audience) -> pa.Table:
    wanted = {
        "segment": audience.segments,
        "risk_band": audience.risk_bands,
        "lifecycle": audience.lifecycle,
        "country": audience.countries,
        "channel": audience.channels,
        "language": audience.languages,
    }
    for column, names in wanted.items():
        if names:
            customers = customers.filter(pc.is_in(customers[column], pa.array(names)))
    if audience.bought:
        customers = customers.filter(customers["has_bought"])
    if audience.min_spend is not None:
        spend = pc.fill_null(customers["spend_last_365_days"].cast(pa.float64()), 0.0)
        customers = customers.filter(pc.greater_equal(spend, audience.min_spend))
    return customers


def last_day_of_window(launched_on: date, window_days: int) -> date:
    """The last day on which a purchase counts."""
    return date.fromordinal(launched_on.toordinal() + window_days)


def _is_another_with_the_address(emails: pa.ChunkedArray) -> NDArray[np.bool_]:
    """All but the first customer with each address: otherwise one might be contacted and the other be in the control
    group."""
    addresses = pc.utf8_lower(pc.utf8_trim_whitespace(emails)).combine_chunks().dictionary_encode()
    positions = addresses.indices.fill_null(-1).to_numpy()
    is_first = np.zeros(len(positions), dtype=bool)
    is_first[np.unique(positions, return_index=True)[1]] = True
    return np.asarray(~is_first & (positions >= 0))


def _bools(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    return np.asarray(column.to_numpy(), dtype=bool)
