"""What a shop of a given size can learn in its next three campaigns, and how large their control groups should be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from flows.campaigns.covariates import Floats
from flows.campaigns.definition import Campaign
from flows.campaigns.pooling import Measured, pooled, shrunk
from flows.campaigns.power import PLAUSIBLE_LIFT, Power, power

CAMPAIGNS = 3
LONGER_WINDOWS = (30, 60, 90)
HOLDOUTS = (0.2, 0.3, 0.4, 0.5)
FIRST_HOLDOUT = 0.5  # needs the fewest customers to show anything
MIN_EXPECTED_BUYERS = 25  # of the control group, so that margin will probably be measured


@dataclass(frozen=True)
class Eligible:
    """Of each eligible customer: probability of a purchase within the horizon and without a campaign, spend in the last
    horizon, and average order value. horizons: for windows in days, the horizon at whose constant pace customers buy
    in them (choice.horizon_at_pace); that of other windows is horizon_days."""

    chance: Floats
    spend: Floats
    order_values: Floats
    horizon_days: int
    horizons: Mapping[int, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.chance)


@dataclass(frozen=True)
class PastCampaign:
    """effect: margin that it brought per treated customer. The sizes of its arms."""

    effect: Measured
    treated: int
    held_out: int


@dataclass(frozen=True)
class Step:
    """One of the campaigns. alone: what it can show; together: what all up to it, with past
    ones, can show. loss_at_most: what it costs
    if it changes nothing."""

    launched_on: date
    holdout: float
    treated: int
    held_out: int
    alone: Power
    together: Power
    loss_at_most: float


@dataclass(frozen=True)
class Outlook:
    """effects: margin per treated customer that past campaigns brought, as known from each and those before it.
    next_effect: what they say of the next one; None without any. cost_per_contact: with the redemptions of those who
    would have bought anyway."""

    window_days: int
    steps: tuple[Step, ...]
    effects: tuple[Measured, ...]
    next_effect: Measured | None
    cost_per_contact: float

    @property
    def can_learn(self) -> bool:
        """Whether the campaigns together would find the largest effect that is plausible."""
        return self.steps[-1].together.detectable_lift <= PLAUSIBLE_LIFT

    @property
    def expected_profit_per_contact(self) -> float | None:
        """By past campaigns; None without any."""
        return None if self.next_effect is None else self.next_effect.mean - self.cost_per_contact

    @property
    def says_contact_nobody(self) -> bool:
        """Whether one more campaign is expected to lose money, by more than the standard error of that: to stop ends
        the learning, too, so a doubt is not enough."""
        if self.next_effect is None or self.expected_profit_per_contact is None:
            return False
        return self.expected_profit_per_contact + self.next_effect.error <= 0


def look_ahead(campaign: Campaign, eligible: Eligible, launched_on: date, past: Sequence[PastCampaign] = ()) -> Outlook:
    """Plans three campaigns one after the other, each launched when the window of the one before has ended and its
    customers may be contacted again. campaign: audience, offer, margin and budget. past: earlier ones, the oldest
    first.

    The first control group is a half, unless there are past campaigns; the others are the smallest with which all
    campaigns together show the largest plausible effect."""
    window, steps = _window(campaign, eligible), tuple[Step, ...]()
    for holdout in HOLDOUTS:
        steps = _steps(campaign, eligible, window, launched_on, past, holdout)
        if steps[-1].together.detectable_lift <= PLAUSIBLE_LIFT:
            break
    effects = [of.effect for of in past]
    cost = float(campaign.offer.cost(steps[0].alone.rate_without))
    return Outlook(window, steps, tuple(shrunk(effects)), pooled(effects) if effects else None, cost)


def windows_of(campaign: Campaign) -> list[int]:
    """In days: that of the file, and longer ones that a plan may have instead."""
    return [campaign.window_days, *(days for days in LONGER_WINDOWS if days > campaign.window_days)]


def _window(campaign: Campaign, eligible: Eligible) -> int:
    """That of the file, or the next longer one in which enough of a control group of one half buy; later purchases
    only add chance."""
    windows = windows_of(campaign)
    for window in windows:
        _, held_out = _sizes(campaign, eligible, window, FIRST_HOLDOUT)
        if held_out * float(_chance(eligible, window).mean()) >= MIN_EXPECTED_BUYERS:
            return window
    return windows[-1]


def _steps(
    campaign: Campaign, eligible: Eligible, window: int, first_day: date, past: Sequence[PastCampaign], holdout: float
) -> tuple[Step, ...]:
    every_days = timedelta(days=max(window, campaign.contact_cap.days))
    all_treated, all_held_out = sum(of.treated for of in past), sum(of.held_out for of in past)
    steps = []
    for n in range(CAMPAIGNS):
        share = holdout if n or past else FIRST_HOLDOUT
        treated, held_out = _sizes(campaign, eligible, window, share)
        all_treated, all_held_out = all_treated + treated, all_held_out + held_out
        alone = _power(campaign, eligible, window, share, treated, held_out)
        together = _power(campaign, eligible, window, share, all_treated, all_held_out)
        cost = treated * float(campaign.offer.cost(alone.rate_without))
        steps.append(Step(first_day + n * every_days, share, treated, held_out, alone, together, cost))
    return tuple(steps)


def _sizes(campaign: Campaign, eligible: Eligible, window: int, holdout: float) -> tuple[int, int]:
    """The arms of a campaign for its budget, with the redemptions that a good campaign has."""
    each = float(campaign.offer.cost(np.minimum(_chance(eligible, window) + PLAUSIBLE_LIFT, 1).mean()))
    chosen = len(eligible) if not each else min(len(eligible), int(campaign.budget / (each * (1 - holdout))))
    held_out = round(chosen * holdout)
    return chosen - held_out, held_out


def _power(campaign: Campaign, eligible: Eligible, window: int, holdout: float, treated: int, held_out: int) -> Power:
    of_window = campaign.model_copy(update={"holdout": holdout, "window_days": window})
    spend = eligible.spend * np.sqrt(window / eligible.horizon_days)
    return power(of_window, treated, held_out, _chance(eligible, window), spend, eligible.order_values)


def _chance(eligible: Eligible, window: int) -> Floats:
    """Of a purchase within the window."""
    horizon = eligible.horizons.get(window, eligible.horizon_days)
    return np.asarray(1 - (1 - eligible.chance) ** (window / horizon))
