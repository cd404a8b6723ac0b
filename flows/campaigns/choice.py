"""Which customers of a campaign's audience are worth contacting, and which of them the budget pays for.

Two lists compete by the profit that is expected of them: the best of the uplift model's ranking, where it beats chance,
and customers by lot in equal shares of every stratum. Both are valued on past targets that no model was fitted to.
A share of the budget of a ranking goes to customers by lot, whatever is expected of them, so that learning goes on."""

from dataclasses import astuple, dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flows.campaigns.assignment import draws, in_holdout, rank_within, strata_of
from flows.campaigns.audience import EligibilityResult
from flows.campaigns.covariates import Floats, numbers
from flows.campaigns.definition import Campaign
from flows.campaigns.out_of_fold import Interval
from flows.campaigns.power import PLAUSIBLE_LIFT
from flows.campaigns.uplift import Estimate, InsufficientData, Uplift
from flows.campaigns.variants import VariantUplift, by_lot, cost
from flows.errors import BadInput

WOULD_NOT_PAY = "contacting them is expected to cost more than it brings"
BEYOND_BUDGET = "beyond the budget"
_MAX_PACE = (0.001, 20.0)  # of the horizon's, over a window
Fitted = Uplift | VariantUplift


@dataclass(frozen=True)
class Candidates:
    """Customers who may be worth contacting, why others are not, and the expected profit; None where
    earlier campaigns do not tell."""

    customers: pa.Table
    excluded: dict[str, int]
    estimate: Estimate | None


@dataclass(frozen=True)
class Chosen:
    """The customers that the budget pays for, in order. cost: of contacting each. chance: of a purchase within the
    window and without the campaign; NaN for who was not scored. excluded: the number of others, by reason.
    expected_profit: of contacting the treated together; None where earlier campaigns do not tell. explored: how many
    of them, at the end, are there by lot although a ranking is used."""

    people: pa.Table
    is_in_holdout: NDArray[np.bool_]
    cost: Floats
    chance: Floats
    estimate: Estimate | None
    excluded: dict[str, int]
    expected_profit: Interval | None = None
    explored: int = 0


def best_list(
    campaign: Campaign, screened: EligibilityResult, fitted: Fitted | InsufficientData, horizon_days: float
) -> Chosen:
    """The list with the highest expected profit, which may be negative.

    Raises:
        BadInput: when nobody is left, the budget pays for nobody, or everyone it pays for was drawn into the holdout.
    """
    _somebody_is_left(campaign, screened)
    lot = by_lot(campaign, screened.eligible)
    assigned = fitted.assigned(campaign, lot) if isinstance(fitted, VariantUplift) else lot
    screened = replace(screened, eligible=assigned)
    anybody = choose(campaign, Candidates(assigned, screened.excluded, None), horizon_days)
    if isinstance(fitted, InsufficientData):
        return anybody
    lists = [anybody]
    if fitted.beats_random:
        estimate = fitted.expected_profit(screened.eligible, campaign.margin, campaign.offer, campaign.window_days)
        if (estimate.mean > 0).any():
            lists.insert(0, _ranked(campaign, screened, fitted, estimate, horizon_days))
    return max((_valued(campaign, chosen, fitted) for chosen in lists), key=_mean_profit)


def _valued(campaign: Campaign, chosen: Chosen, fitted: Fitted) -> Chosen:
    treated = chosen.people.filter(pa.array(~chosen.is_in_holdout))
    profit = fitted.profit_of_list(treated, campaign.margin, campaign.offer, campaign.window_days)
    return replace(chosen, expected_profit=profit)


def _mean_profit(chosen: Chosen) -> float:
    return chosen.expected_profit.mean if chosen.expected_profit else 0.0


def _ranked(
    campaign: Campaign, screened: EligibilityResult, fitted: Fitted, estimate: Estimate, horizon_days: float
) -> Chosen:
    """The best of the ranking, and for the share of the budget that is to explore, others by lot."""
    candidates = worth_contacting(screened, estimate)
    share = campaign.explore
    if share:
        try:
            best = choose(_of_budget(campaign, (1 - share) * campaign.budget), candidates, horizon_days)
            return _with_others(campaign, screened, fitted, estimate, best, horizon_days)
        except BadInput:  # too small to be shared
            pass
    return choose(campaign, candidates, horizon_days)


def _with_others(
    campaign: Campaign,
    screened: EligibilityResult,
    fitted: Fitted,
    estimate: Estimate,
    best: Chosen,
    horizon_days: float,
) -> Chosen:
    """The others are as many as the share says, and cost no more: where few are worth contacting, few are tried. Their
    variants are by lot, too."""
    to_best = campaign.explore / (1 - campaign.explore)
    budget = min(campaign.explore * campaign.budget, to_best * float(best.cost[~best.is_in_holdout].sum()))
    eligible = screened.eligible
    is_best = pc.is_in(eligible["customer_id"], best.people["customer_id"].combine_chunks())
    rest = eligible.filter(pc.invert(is_best))
    most = min(round(to_best * len(best.people)), len(rest))
    if not most:
        return choose(campaign, worth_contacting(screened, estimate), horizon_days)
    others = choose(_of_budget(campaign, budget), Candidates(by_lot(campaign, rest), {}, None), horizon_days)
    people = pa.concat_tables([best.people, others.people.slice(0, most)])
    rows = np.asarray(pc.index_in(people["customer_id"], eligible["customer_id"].combine_chunks()).to_numpy())
    left = np.ones(len(eligible), dtype=bool)
    left[rows] = False
    reasons = {WOULD_NOT_PAY: left & (estimate.mean <= 0), BEYOND_BUDGET: left & (estimate.mean > 0)}
    return Chosen(
        people=people,
        is_in_holdout=np.concatenate([best.is_in_holdout, others.is_in_holdout[:most]]),
        cost=np.concatenate([best.cost, others.cost[:most]]),
        chance=np.concatenate([best.chance, others.chance[:most]]),
        estimate=fitted.expected_profit(people, campaign.margin, campaign.offer, campaign.window_days),
        excluded=screened.excluded | {why: int(of.sum()) for why, of in reasons.items() if of.any()},
        explored=min(most, len(others.people)),
    )


def _of_budget(campaign: Campaign, budget: float) -> Campaign:
    return campaign.model_copy(update={"budget": budget})


def worth_contacting(screened: EligibilityResult, estimate: Estimate) -> Candidates:
    """The customers who are expected to bring more than they cost."""
    pays, excluded = estimate.mean > 0, dict(screened.excluded)
    if not pays.all():
        excluded[WOULD_NOT_PAY] = int((~pays).sum())
    return Candidates(screened.eligible.filter(pa.array(pays)), excluded, _estimate_of(estimate, pays))


def choose(campaign: Campaign, candidates: Candidates, horizon_days: float) -> Chosen:
    customers, estimate = candidates.customers, candidates.estimate
    chance = chance_of_purchase(customers, campaign.window_days, horizon_days)
    # contacted customers buy more often, or the campaign would be useless: the budget must cover their redemptions too.
    # Customers without a score are assumed to redeem, so that no budget is overspent
    if_contacted = np.minimum(np.nan_to_num(chance, nan=1.0) + PLAUSIBLE_LIFT, 1)
    if estimate is not None:
        if_contacted = estimate.chance_if_contacted
    costs = cost(campaign, customers, if_contacted)
    ids, strata = customers["customer_id"].to_numpy(), strata_of(customers)
    order = _order(campaign, ids, strata, estimate)
    chosen, is_in_holdout = _within_budget(campaign, ids, strata, costs, order)
    if len(chosen) and is_in_holdout.all():
        more = "Raise the budget" if len(chosen) < len(customers) else "Widen the audience"
        raise BadInput(f"{campaign.name}: of so few customers ({len(chosen)}) all were drawn into the holdout. {more}.")
    if not len(chosen):
        raise BadInput(
            f"{campaign.name}: a budget of {campaign.budget:,.2f} pays for nobody: contacting the customer who comes"
            f" first is expected to cost {costs[order[0]]:,.2f}."
        )
    of_chosen = None if estimate is None else _estimate_of(estimate, chosen)
    excluded = dict(candidates.excluded)
    if len(customers) > len(chosen):
        excluded[BEYOND_BUDGET] = len(customers) - len(chosen)
    people = customers.take(pa.array(chosen))
    return Chosen(people, is_in_holdout, costs[chosen], chance[chosen], of_chosen, excluded)


def _estimate_of(estimate: Estimate, rows: NDArray[Any]) -> Estimate:
    return Estimate(*(values[rows] for values in astuple(estimate)))


def chance_of_purchase(customers: pa.Table, window_days: int, horizon_days: float) -> Floats:
    """Probability of a purchase within the window without a campaign, for each customer: the model's, at a constant
    pace over its horizon, or over that of `horizon_at_pace`; NaN where not scored."""
    return np.asarray(1 - numbers(customers, "churn_probability") ** (window_days / horizon_days))


def horizon_at_pace(customers: pa.Table, share: float | None, window_days: int, horizon_days: int) -> float:
    """The horizon at whose constant pace this share of those who buy within `horizon_days` have bought by the end of
    the window. Shops are not at a constant pace: more buy in December, and who is active buys soon."""
    churn = numbers(customers, "churn_probability")
    churn = churn[~np.isnan(churn)]
    if share is None or not len(churn):
        return horizon_days
    wanted, low, high = share * float((1 - churn).mean()), *_MAX_PACE
    for _ in range(40):  # the more of the horizon's pace, the more buy
        pace = (low + high) / 2
        low, high = (pace, high) if float((1 - churn**pace).mean()) < wanted else (low, pace)
    return window_days / high


def _somebody_is_left(campaign: Campaign, screened: EligibilityResult) -> None:
    if screened.audience_size == 0:
        criteria = campaign.audience.model_dump(exclude_none=True)
        raise BadInput(f"{campaign.name}: no customer is in this audience: {criteria}.")
    if len(screened.eligible) == 0:
        why = ", ".join(f"{customers:,} {reason}" for reason, customers in screened.excluded.items())
        raise BadInput(
            f"{campaign.name}: of the {screened.audience_size:,} customers of this audience nobody is left: {why}."
        )


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
