"""Which customers a campaign chooses for its budget, and which of them form its control group."""

from dataclasses import astuple, dataclass, field
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flows.campaigns.assignment import draws, in_holdout, rank_within
from flows.campaigns.audience import KNOWN_AT_LAUNCH, EligibilityResult, last_day_of_window
from flows.campaigns.covariates import Floats, numbers
from flows.campaigns.definition import Campaign
from flows.campaigns.power import PLAUSIBLE_LIFT, Power, power
from flows.campaigns.uplift import Estimate, InsufficientData, Uplift
from flows.errors import BadInput

BY_UPLIFT, BY_CHANCE = "uplift", "chance"
IN_EQUAL_SHARES = "The same share of every segment and risk band, so that the next campaign can choose."
WOULD_NOT_PAY = "contacting them is expected to cost more than it brings"
BEYOND_BUDGET = "beyond the budget"


@dataclass(frozen=True)
class Plan:
    """The plan of a campaign, before anything is written or sent.

    targets: the rows of marts.campaign_targets. excluded: number of customers of the audience who are not targets, by
    reason.
    at_stake: spend of a year × probability of leaving, of the treated. expected_cost: of contacting the treated;
    highest_cost: if every one of them redeemed the offer. expected_profit: mean and 90 % interval, of the treated
    together; None where no model could be fitted to earlier campaigns.
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
    expected_profit: tuple[float, float, float] | None
    power: Power
    currency: str | None
    warnings: list[str] = field(default_factory=list)

    @property
    def window_ends_on(self) -> date:
        """The last day on which a purchase counts."""
        return last_day_of_window(self.launched_on, self.campaign.window_days)

    def count(self, arm: str) -> int:
        """Targets of an arm."""
        return int(pc.sum(pc.equal(self.targets["arm"], arm)).as_py() or 0)


def chance_of_purchase(customers: pa.Table, window_days: int, horizon_days: int) -> Floats:
    """Probability of a purchase within the window without a campaign, for each customer: the model's, at a constant
    pace over its horizon; NaN where not scored."""
    return np.asarray(1 - numbers(customers, "churn_probability") ** (window_days / horizon_days))


def plan(
    campaign: Campaign,
    screened: EligibilityResult,
    fitted: Uplift | InsufficientData,
    launched_on: date,
    horizon_days: int,
) -> Plan:
    """Chooses as many customers as the budget pays for, by the expected profit of contacting them; where that cannot be
    estimated, by chance with the same share of each stratum, so that the next campaign can estimate it.

    Raises:
        BadInput: when nobody is left, the budget pays for nobody, or everyone it pays for was drawn into the holdout.
    """
    customers, excluded = screened.eligible, dict(screened.excluded)
    _somebody_is_left(campaign, screened.audience_size, excluded, len(customers))
    estimate = None
    if isinstance(fitted, Uplift) and fitted.beats_random:
        estimate = fitted.expected_profit(customers, campaign.margin, campaign.offer, campaign.window_days)
        pays = estimate.mean > 0
        if not pays.all():
            excluded[WOULD_NOT_PAY] = int((~pays).sum())
        customers = customers.filter(pa.array(pays))
        estimate = Estimate(*(values[pays] for values in astuple(estimate)))
        _somebody_is_left(campaign, screened.audience_size, excluded, len(customers))

    chance = chance_of_purchase(customers, campaign.window_days, horizon_days)
    # contacted customers buy more often, or the campaign would be useless: the budget must cover their redemptions too.
    # Customers without a score are assumed to redeem, so that no budget is overspent
    if_contacted = np.minimum(np.nan_to_num(chance, nan=1.0) + PLAUSIBLE_LIFT, 1)
    if estimate is not None:
        if_contacted = estimate.chance_if_contacted
    cost = campaign.offer.cost(if_contacted)
    ids, strata = customers["customer_id"].to_numpy(), _strata(customers)
    order = _order(campaign, ids, strata, estimate)
    chosen, is_in_holdout = _within_budget(campaign, ids, strata, cost, order)
    if len(chosen) and is_in_holdout.all():
        more = "Raise the budget" if len(chosen) < len(customers) else "Widen the audience"
        raise BadInput(f"{campaign.name}: of so few customers ({len(chosen)}) all were drawn into the holdout. {more}.")
    if not len(chosen):
        raise BadInput(
            f"{campaign.name}: a budget of {campaign.budget:,.2f} pays for nobody: contacting the customer who comes"
            f" first is expected to cost {cost[order[0]]:,.2f}."
        )
    if len(customers) > len(chosen):
        excluded[BEYOND_BUDGET] = len(customers) - len(chosen)

    people, treated = customers.take(pa.array(chosen)), ~is_in_holdout
    known, together = _known(estimate, chosen), None
    if estimate is not None and isinstance(fitted, Uplift):
        treated_people = people.filter(pa.array(treated))
        together = fitted.profit_together(treated_people, campaign.margin, campaign.offer, campaign.window_days)
    share_of_horizon = campaign.window_days / horizon_days
    spend = numbers(people, "spend_last_period")
    usual = 1 - (1 - float((spend > 0).mean())) ** share_of_horizon
    could_show = power(
        campaign, int(treated.sum()), int(is_in_holdout.sum()),
        np.nan_to_num(chance[chosen], nan=usual), spend * np.sqrt(share_of_horizon),
        float(np.nanmean(numbers(people, "average_order_value"))),
    )  # fmt: skip
    targets = pa.concat_tables(
        [
            _targets(
                campaign, launched_on, people, np.where(treated, "treated", "holdout"), 1 - campaign.holdout, known
            ),
            _targets(
                campaign, launched_on, screened.global_holdout_members,
                np.full(len(screened.global_holdout_members), "global_holdout"), 0.0, {},
            ),
        ]
    )  # fmt: skip
    return Plan(
        campaign=campaign,
        launched_on=launched_on,
        targets=targets,
        audience_size=screened.audience_size,
        excluded=excluded,
        ranked_by=BY_CHANCE if estimate is None else BY_UPLIFT,
        why_ranked_so=fitted.why if estimate is not None else f"{IN_EQUAL_SHARES} {fitted.why}",
        at_stake=float(np.nansum(numbers(people, "value_at_stake")[treated])),
        expected_cost=float(cost[chosen][treated].sum()),
        highest_cost=float(treated.sum() * campaign.offer.cost(1.0)),
        expected_profit=together,
        power=could_show,
        currency=people["currency"][0].as_py(),
        warnings=list(_warnings(campaign, could_show, treated)),
    )


def _somebody_is_left(campaign: Campaign, audience_size: int, excluded: dict[str, int], left: int) -> None:
    if audience_size == 0:
        asked = campaign.audience.model_dump(exclude_none=True)
        raise BadInput(f"{campaign.name}: no customer is in this audience: {asked}.")
    if left == 0:
        why = ", ".join(f"{customers:,} {reason}" for reason, customers in excluded.items())
        raise BadInput(f"{campaign.name}: of the {audience_size:,} customers of this audience nobody is left: {why}.")


def _strata(customers: pa.Table) -> NDArray[np.object_]:
    risk = pc.fill_null(customers["risk_band"], "not scored")
    return np.asarray(pc.binary_join_element_wise(customers["segment"], risk, ", ").to_numpy(), dtype=object)


def _order(
    campaign: Campaign, ids: NDArray[np.object_], strata: NDArray[np.object_], estimate: Estimate | None
) -> NDArray[np.int64]:
    """The order in which to contact customers; random for ties, and where there is no estimate."""
    draw = draws(f"{campaign.name}, choice", ids)
    if estimate is not None:
        return np.lexsort((draw, -estimate.mean))
    place, size = rank_within(strata, draw)
    return np.lexsort((draw, (place + 0.5) / size))


def _within_budget(
    campaign: Campaign, ids: NDArray[np.object_], strata: NDArray[np.object_], cost: Floats, order: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The chosen customers in order, and which of them are in the control group: contacting the others is within the
    budget."""
    affordable = np.cumsum(cost[order]) * (1 - campaign.holdout) <= campaign.budget
    chosen = order[affordable]
    out = in_holdout(strata[chosen], ids[chosen], campaign.name, campaign.holdout)
    spent = np.cumsum(np.where(out, 0.0, cost[chosen]))
    chosen, out = chosen[spent <= campaign.budget], out[spent <= campaign.budget]
    return chosen, out


def _known(estimate: Estimate | None, chosen: NDArray[np.int64]) -> dict[str, Floats]:
    if estimate is None:
        return {}
    return {"": estimate.mean[chosen], "_low": estimate.low[chosen], "_high": estimate.high[chosen]}


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
            "stratum": pa.array(_strata(people), pa.string()),
            "treatment_share": np.full(n, treatment_share),
            "position": pa.array(np.arange(1, n + 1), pa.int32()) if treatment_share else pa.nulls(n, pa.int32()),
            **{
                f"expected_profit{end}": expected_profit.get(end, nothing)
                for end in ("", "_low", "_high")
            },
            **{name: people[name] for name in KNOWN_AT_LAUNCH},
        }
    )  # fmt: skip


def _warnings(campaign: Campaign, could_show: Power, treated: NDArray[np.bool_]) -> list[str]:
    found = []
    if treated.all():
        found.append("there is no control group: what this campaign changes will never be known")
    elif not could_show.can_show_something:
        found.append(
            f"this campaign cannot show anything: only a lift of {could_show.detectable_lift:.1%} or more would stand"
            f" out from chance, and a very good campaign makes 5 in 100 more customers buy. With a holdout of"
            f" {campaign.holdout:.0%} it would take {could_show.customers_needed:,} customers"
            + ("; a holdout of 50 % needs the fewest" if campaign.holdout < 0.4 else "")
        )
    if could_show.break_even_lift > 1:
        found.append(
            "this offer cannot pay: it costs more than the margin of the purchase that it may bring. Offer less, or"
            " raise the margin"
        )
    return found
