"""Which customers a campaign chooses for its budget, and which of them form its control group."""

from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flows.campaigns.assignment import strata_of
from flows.campaigns.audience import KNOWN_AT_LAUNCH, EligibilityResult, last_day_of_window
from flows.campaigns.choice import Chosen, Fitted, best_list
from flows.campaigns.covariates import Floats, numbers
from flows.campaigns.definition import Campaign
from flows.campaigns.out_of_fold import Interval
from flows.campaigns.power import Power, power
from flows.campaigns.track_record import NO_RECORD, TrackRecord
from flows.campaigns.traits import TRAITS
from flows.campaigns.uplift import InsufficientData
from flows.campaigns.variants import SHARE, VARIANT, VariantUplift, cost
from flows.campaigns.warnings import PlanWarning

BY_UPLIFT, BY_CHANCE = "uplift", "chance"
IN_EQUAL_SHARES = "The same share of every segment and risk band, so that the next campaign can choose."


@dataclass(frozen=True)
class Plan:
    """The plan of a campaign, before anything is written or sent.

    targets: the rows of marts.campaign_targets. excluded: number of customers of the audience who are not targets, by
    reason.
    at_stake: expected loss of the treated. expected_cost: of contacting the treated;
    highest_cost: if every one of them redeemed the offer. expected_profit: of the treated together; None where no model
    could be fitted to earlier campaigns. uncorrected_profit: the same without the correction by `record`, what came of
    earlier promises. global_holdout: share of all customers that no campaign contacts. explored, explored_cost: of the
    treated, those who are there by lot although a ranking is used, and what contacting them is expected to cost.
    variants: for each the number of the treated, and what is promised of them.
    """

    campaign: Campaign
    launched_on: date
    targets: pa.Table
    audience_size: int
    excluded: dict[str, int]
    ranked_by: str
    why_ranked_so: str
    at_stake: float
    expected_cost: float
    highest_cost: float
    expected_profit: Interval | None
    power: Power
    currency: str | None
    uncorrected_profit: Interval | None = None
    record: TrackRecord = NO_RECORD
    global_holdout: float = 0.0
    explored: int = 0
    explored_cost: float = 0.0
    variants: dict[str, tuple[int, Interval | None]] = field(default_factory=dict)
    warnings: list[PlanWarning] = field(default_factory=list)

    @property
    def window_ends_on(self) -> date:
        """The last day on which a purchase counts."""
        return last_day_of_window(self.launched_on, self.campaign.window_days)

    @property
    def is_expected_to_lose(self) -> bool:
        """Whether contacting nobody is expected to bring more."""
        return self.expected_profit is not None and self.expected_profit.mean <= 0

    def count(self, arm: str) -> int:
        """Targets of an arm."""
        return int(pc.sum(pc.equal(self.targets["arm"], arm)).as_py() or 0)


def plan(
    campaign: Campaign,
    screened: EligibilityResult,
    fitted: Fitted | InsufficientData,
    launched_on: date,
    horizon_days: float,
    record: TrackRecord = NO_RECORD,
) -> Plan:
    """Chooses as many customers as the budget pays for, by the expected profit of contacting them or by chance with the
    same share of each stratum, whichever is expected to bring more; by chance where earlier campaigns do not tell, so
    that the next campaign can. horizon_days: of the churn probabilities, or that of `horizon_at_pace`.

    Raises:
        BadInput: when nobody is left, the budget pays for nobody, or everyone it pays for was drawn into the holdout.
    """
    chosen = best_list(campaign, screened, fitted, horizon_days)
    people, treated = chosen.people, ~chosen.is_in_holdout
    uncorrected = chosen.expected_profit
    if uncorrected is not None:
        chosen = replace(chosen, expected_profit=record.corrected(uncorrected, int(treated.sum())))
    could_show = _power(campaign, chosen, horizon_days)
    explored = treated & (np.arange(len(people)) >= len(people) - chosen.explored)
    return Plan(
        campaign=campaign,
        launched_on=launched_on,
        targets=_all_targets(campaign, launched_on, chosen, screened.global_holdout_members),
        audience_size=screened.audience_size,
        excluded=chosen.excluded,
        ranked_by=BY_CHANCE if chosen.estimate is None else BY_UPLIFT,
        why_ranked_so=fitted.why if chosen.estimate is not None else f"{IN_EQUAL_SHARES} {fitted.why}",
        at_stake=float(np.nansum(numbers(people, "expected_loss")[treated])),
        expected_cost=float(chosen.cost[treated].sum()),
        highest_cost=float(cost(campaign, people, np.ones(len(people)))[treated].sum()),
        expected_profit=chosen.expected_profit,
        power=could_show,
        currency=people["currency"][0].as_py(),
        uncorrected_profit=uncorrected,
        record=record,
        explored=int(explored.sum()),
        explored_cost=float(chosen.cost[explored].sum()),
        variants=_by_variant(campaign, people.filter(pa.array(treated)), fitted, record),
        warnings=[
            *_warnings(campaign, could_show, chosen),
            *(() if isinstance(fitted, InsufficientData) else fitted.transfer.differences),
        ],
    )


def _by_variant(
    campaign: Campaign, treated: pa.Table, fitted: Fitted | InsufficientData, record: TrackRecord
) -> dict[str, tuple[int, Interval | None]]:
    found: dict[str, tuple[int, Interval | None]] = {}
    for name in campaign.offers:
        people, promised = treated.filter(pc.equal(treated[VARIANT], name)), None
        if len(people) and isinstance(fitted, VariantUplift):
            promised = fitted.profit_of_list(people, campaign.margin, campaign.offer, campaign.window_days)
            promised = record.corrected(promised, len(people))
        found[name] = len(people), promised
    return found


def _power(campaign: Campaign, chosen: Chosen, horizon_days: float) -> Power:
    share_of_horizon = campaign.window_days / horizon_days
    spend = numbers(chosen.people, "spend_last_period")
    usual = 1 - (1 - float((spend > 0).mean())) ** share_of_horizon
    return power(
        campaign, int((~chosen.is_in_holdout).sum()), int(chosen.is_in_holdout.sum()),
        np.nan_to_num(chosen.chance, nan=usual), spend * np.sqrt(share_of_horizon),
        numbers(chosen.people, "average_order_value"),
    )  # fmt: skip


def _all_targets(campaign: Campaign, launched_on: date, chosen: Chosen, never_contacted: pa.Table) -> pa.Table:
    """The chosen customers, and those excluded by the global holdout alone."""
    arms = np.where(chosen.is_in_holdout, "holdout", "treated")
    profit = {}
    if (of := chosen.estimate) is not None:
        profit = {"": of.mean, "_low": of.low, "_high": of.high}
    nobody = np.full(len(never_contacted), "global_holdout")
    return pa.concat_tables(
        [
            _targets(campaign, launched_on, chosen.people, arms, 1 - campaign.holdout, profit),
            _targets(campaign, launched_on, never_contacted, nobody, 0.0, {}),
        ]
    )


def _targets(
    campaign: Campaign,
    launched_on: date,
    people: pa.Table,
    arms: NDArray[np.str_],
    treatment_share: float,
    expected_profit: dict[str, Floats],
) -> pa.Table:
    n = len(people)
    nothing = pa.nulls(n, pa.float64())
    return pa.table(
        {
            "campaign": pa.repeat(campaign.name, n),
            "customer_id": people["customer_id"],
            "launched_on": pa.repeat(pa.scalar(launched_on, pa.date32()), n),
            "arm": pa.array(arms, pa.string()),
            "stratum": pa.array(strata_of(people), pa.string()),
            "treatment_share": np.full(n, treatment_share),
            "position": pa.array(np.arange(1, n + 1), pa.int32()) if treatment_share else pa.nulls(n, pa.int32()),
            **{
                f"expected_profit{end}": expected_profit.get(end, nothing)
                for end in ("", "_low", "_high")
            },
            **{name: people[name] for name in (*KNOWN_AT_LAUNCH, TRAITS)},
            VARIANT: people[VARIANT] if VARIANT in people.column_names else pa.nulls(n, pa.string()),
            SHARE: people[SHARE] if SHARE in people.column_names else nothing,
        }
    )  # fmt: skip


def _warnings(campaign: Campaign, could_show: Power, chosen: Chosen) -> list[PlanWarning]:
    found, profit = [], chosen.expected_profit
    if profit is not None and profit.mean <= 0:
        is_sure = profit.high <= 0
        text = f"contact nobody: by what past campaigns changed, this one is expected to lose {-profit.mean:,.0f}"
        text += "." if is_sure else ", though not beyond doubt."
        text += " This is spent to learn" if campaign.to_learn else " To spend that to learn, write `to_learn: true`"
        values = {"loss": -profit.mean, "is_sure": is_sure, "is_to_learn": campaign.to_learn}
        found.append(PlanWarning("expected_to_lose", text, values))
    elif profit is not None and profit.low < 0:
        text = (
            f"this may lose up to {-profit.low:,.0f} (90 % interval): a gain is expected but not sure, and what is lost"
            " is spent to learn"
        )
        found.append(PlanWarning("may_lose", text, {"loss": -profit.low}))
    if not chosen.is_in_holdout.any():
        text = "there is no control group: what this campaign changes will never be known"
        found.append(PlanWarning("no_control_group", text))
    elif not could_show.can_show_something:
        values = {
            "detectable_lift": could_show.detectable_lift, "holdout": campaign.holdout,
            "customers_needed": could_show.customers_needed,
        }  # fmt: skip
        text = (
            f"this campaign cannot show anything: only a lift of {could_show.detectable_lift:.1%} or more would stand"
            f" out from chance, and a very good campaign makes 5 in 100 more customers buy. With a holdout of"
            f" {campaign.holdout:.0%} it would take {could_show.customers_needed:,} customers"
            + ("; a holdout of 50 % needs the fewest" if campaign.holdout < 0.4 else "")
        )
        found.append(PlanWarning("shows_nothing", text, values))
    if could_show.break_even_lift > 1:
        text = (
            "this offer cannot pay: it costs more than the margin of the purchase that it may bring. Offer less, or"
            " raise the margin"
        )
        found.append(PlanWarning("cannot_pay", text))
    return found
