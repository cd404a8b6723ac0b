"""What the page asks of the flows: it plans, previews and launches nothing itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from flows.campaigns.warnings import PlanWarning


class Refusal(Exception):
    """Why something cannot be done, and what to do, as the command line would print it. `warning`: what it is about,
    where that has a code."""

    def __init__(self, text: str, warning: PlanWarning | None = None) -> None:
        super().__init__(text)
        self.warning = warning


@dataclass(frozen=True)
class LaunchedCampaign:
    """A campaign of marts.campaigns. `is_over`: whether its window has ended by the last run. `result`: its row of
    marts.campaign_results, once it is measured."""

    name: str
    offer: str
    launched_on: date
    window_ends_on: date
    treated: int
    held_out: int
    is_over: bool
    result: Mapping[str, Any] | None


@dataclass(frozen=True)
class Overview:
    """The last run. `choices`: the values that an audience may name, by its key. `launched`: the newest first."""

    shop: str
    as_of: date
    currency: str | None
    choices: Mapping[str, tuple[str, ...]]
    launched: tuple[LaunchedCampaign, ...]


@dataclass(frozen=True)
class Preview:
    """What `churn campaign preview` prints. Rates are shares, money is in the shop's currency, lifts are differences
    of shares; infinite where there is none. `by_segment`: segment, to contact, control group. `profit`: mean, low and
    high of what is expected after the cost; None where past campaigns do not tell. `launched_on`: where it was launched
    before; then there is no plan."""

    name: str
    as_of: date
    window_ends_on: date
    window_days: int
    currency: str | None
    budget: float
    audience_size: int
    excluded: Mapping[str, int]
    treated: int
    held_out: int
    by_segment: tuple[tuple[str, int, int], ...]
    is_ranked: bool
    why_ranked_so: str
    expected_cost: float
    highest_cost: float
    at_stake: float
    profit: tuple[float, float, float] | None
    rate_without: float
    detectable_lift: float
    detectable_margin: float
    break_even_lift: float
    can_show_something: bool
    customers_needed: int
    warnings: tuple[PlanWarning, ...]


@dataclass(frozen=True)
class Launch:
    """What became of a launch. `sent`: number of treated by result. `waiting`: number who may still be sent."""

    treated: int
    held_out: int
    window_ends_on: date
    sent: Mapping[str, int]
    waiting: int
    file: Path | None
    suppressed_in: str | None


class Desk(Protocol):
    """One request at a time; each raises Refusal."""

    def overview(self) -> Overview:
        """The last run, and the campaigns that were launched."""

    def preview(self, text: str, name: str) -> Preview | date:
        """What the campaign of a YAML text would do; the day of its launch where it was launched. `name`: of the file
        in messages."""

    def launch(self, file: Path, digest: str) -> Launch:
        """Freezes the campaign of a file and sends the treated, if the file has these bytes (SHA-256)."""
