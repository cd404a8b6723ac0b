"""What the next three campaigns could show, for the terminal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isinf

from rich.console import Console

from flows.campaigns.definition import Campaign
from flows.campaigns.out_of_fold import ONE_SIDED_95
from flows.campaigns.outlook import CAMPAIGNS, Outlook
from flows.campaigns.pooling import Measured
from flows.campaigns.power import PLAUSIBLE_LIFT
from flows.console.amounts import money, percent
from flows.console.sections import print_sections

_COLUMNS = (
    "launch", "to contact", "control group", "holdout", "buyers without", "shows alone", "shows together",
    "costs if it fails",
)  # fmt: skip


@dataclass(frozen=True)
class OutlookRun:
    """`eligible`: customers of the audience who may be contacted today."""

    shop: str
    campaign: Campaign
    outlook: Outlook
    eligible: int
    currency: str | None


def print_outlook(run: OutlookRun, console: Console) -> None:
    title = f"The next {CAMPAIGNS} campaigns of {run.shop}, with the offer of {run.campaign.name}"
    print_sections([(title, _lines(run), _COLUMNS, _table(run))], console)
    console.print(f"\n  {_verdict(run)}", highlight=False, soft_wrap=True)


def _lines(run: OutlookRun) -> Iterator[str]:
    outlook = run.outlook
    yield f"{run.eligible:,} customers may be contacted today; window_days: {outlook.window_days}"
    yield "shows: the smallest effect that is found with 80 % chance, in additional buyers per 100 customers"
    if (effect := outlook.next_effect) is None:
        return
    which = "the campaign" if len(outlook.effects) == 1 else f"the {len(outlook.effects)} campaigns"
    yield f"{which} so far: one more like them brings {_amount(effect, run.currency)} margin per customer contacted"
    if len(outlook.effects) > 1:
        yield f"the last of them, as known from itself and those before: {_amount(outlook.effects[-1], run.currency)}"
    cost = money(outlook.cost_per_contact, run.currency, digits=2)
    yield f"contacting one costs {cost}, with the redemptions of who would have bought anyway"


def _amount(effect: Measured, currency: str | None) -> str:
    width = ONE_SIDED_95 * effect.error
    mean, low, high = (
        money(value, currency, digits=2) for value in (effect.mean, effect.mean - width, effect.mean + width)
    )
    return f"{mean} (90 % {low} to {high})"


def _table(run: OutlookRun) -> list[Sequence[str]]:
    return [
        (
            str(step.launched_on), f"{step.treated:,}", f"{step.held_out:,}", percent(step.holdout),
            percent(step.alone.rate_without), _points(step.alone.detectable_lift),
            _points(step.together.detectable_lift), money(step.loss_at_most, run.currency),
        )
        for step in run.outlook.steps
    ]  # fmt: skip


def _verdict(run: OutlookRun) -> str:
    outlook = run.outlook
    if outlook.says_contact_nobody:
        return (
            "Contact nobody: by what campaigns brought so far, each contact is expected to lose"
            f" {money(-(outlook.expected_profit_per_contact or 0), run.currency, digits=2)}. Try another offer."
        )
    if (profit := outlook.expected_profit_per_contact) is not None and profit <= 0:
        return (
            f"One more is expected to lose {money(-profit, run.currency, digits=2)} per contact, though that may be"
            " chance: launch it only if that is worth knowing, and run `churn campaign plan` again after it."
        )
    if not outlook.can_learn:
        needed = f"{outlook.steps[0].alone.customers_needed:,}"
        return (
            f"Nothing can be learnt with so few customers: not even {CAMPAIGNS} campaigns together would find"
            f" {100 * PLAUSIBLE_LIFT:.0f} more buyers per 100, which only a very good one brings. One campaign would"
            f" take {needed} customers. Widen the audience or raise the budget, or contact without measuring"
            " (`i_know: true`)."
        )
    first = next(step for step in outlook.steps if step.together.detectable_lift <= PLAUSIBLE_LIFT)
    number = outlook.steps.index(first) + 1
    return (
        f"After campaign {number} it is known whether a very good offer works ({100 * PLAUSIBLE_LIFT:.0f} more buyers"
        " per 100). Contact by lot until then, run `churn campaign plan` again after each, and stop where it says so."
    )


def _points(share: float) -> str:
    return "–" if isinf(share) else f"{100 * share:.1f}"
