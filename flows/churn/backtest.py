"""Rolling origin: at each of several past dates, models trained on what was known then predict what came after."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from flows.churn.btyd import Floats
from flows.churn.candidates import BASELINES, CANDIDATES
from flows.churn.churn_model import RECENT_SNAPSHOTS, ChurnModel
from flows.churn.evaluation import Flags, Quality, measure
from flows.churn.pace import fit_process
from flows.churn.threads import side_by_side
from flows.churn.training_set import HORIZONS_TO_KEEP, TrainingSet
from flows.errors import TooLittleData
from functions.churn_api.scorer import day_of_year

HELD_OUT_DATES = 4
HARM = 0.01  # of the squared errors
MIN_CUSTOMERS = 200
MIN_PER_OUTCOME = 20


@dataclass(frozen=True)
class HeldOut:
    """One held-out date: its customers, and what each model predicted for them.

    models: the candidates. `in_season`: the same with the season of a year before, where that was known.
    probability: of baselines and candidates.
    """

    day: date
    trained_on: tuple[date, ...]
    customers: TrainingSet
    models: dict[str, ChurnModel]
    in_season: dict[str, ChurnModel]
    probability: dict[str, Floats]

    @property
    def days_of_year(self) -> NDArray[np.int64]:
        """The day of the year of the date, once for each customer, [n]."""
        return np.full(len(self.customers), day_of_year(self.day))

    @cached_property
    def keepable(self) -> Flags:
        """Which customers could still be kept: candidates are compared, and models promoted, by these."""
        return self.customers.keepable

    @cached_property
    def qualities(self) -> dict[str, Quality]:
        """Quality of each baseline and candidate on customers who could still be kept."""
        churned = self.customers.churned[self.keepable]
        return {name: measure(churned, predicted[self.keepable]) for name, predicted in self.probability.items()}

    @cached_property
    def qualities_of_all(self) -> dict[str, Quality]:
        """The same on all customers."""
        return {name: measure(self.customers.churned, predicted) for name, predicted in self.probability.items()}

    def seasoned(self) -> "HeldOut":
        """The same date with the candidates adjusted for the season."""
        predicted = {name: model.churn_probability(self.customers.features) for name, model in self.in_season.items()}
        models = self.models | self.in_season
        return HeldOut(self.day, self.trained_on, self.customers, models, self.in_season, self.probability | predicted)


@dataclass(frozen=True)
class Backtest:
    """`held_out` is newest first; with `seasonal`, its candidates follow the season of the year before."""

    held_out: tuple[HeldOut, ...]
    seasonal: bool
    season_gain: float | None

    @cached_property
    def qualities(self) -> dict[str, list[Quality]]:
        """Qualities of each baseline and candidate on customers who could still be kept, newest date first."""
        return {name: [h.qualities[name] for h in self.held_out] for name in self.held_out[0].probability}

    @cached_property
    def qualities_of_all(self) -> dict[str, list[Quality]]:
        """The same on all customers."""
        return {name: [h.qualities_of_all[name] for h in self.held_out] for name in self.held_out[0].probability}

    @property
    def newest(self) -> HeldOut:
        return self.held_out[0]


def run_backtest(data: TrainingSet, say: Callable[[str], None] = lambda _: None) -> Backtest:
    """Tests every baseline and candidate on the last dates whose outcome is known; `say` receives progress messages.

    A snapshot may be trained on only if its outcome was complete by the held-out date. The season of a year before is
    followed unless that was worse on these dates: without a season it costs almost nothing, and a few dates in a row
    may not show a season that is to come.

    Raises:
        TooLittleData: when the history is too short, the customers too few or all of one kind.
    """
    _require_enough(data)

    def test_on(day: date) -> HeldOut:
        tested = hold_out(day, data.known_by(day), data.at([day]))
        say(f"tested on {day}, trained on {len(tested.trained_on)} snapshots before")
        return tested

    held_out = side_by_side(test_on, _days_to_hold_out(data))
    if not held_out:
        raise TooLittleData(
            f"No past date can be tested: before it, and in the {data.horizon_days} days after it,"
            f" both customers who left and customers who stayed are needed, {MIN_PER_OUTCOME} each among those whose"
            f" last order is not older than {HORIZONS_TO_KEEP * data.horizon_days} days. Another HORIZON_DAYS may help."
        )
    gain = _season_gain(held_out)
    mean_brier = float(np.mean([h.qualities[name].brier for h in held_out for name in h.models]))
    seasonal = gain is not None and gain > -HARM * mean_brier
    return Backtest(tuple(h.seasoned() for h in held_out) if seasonal else tuple(held_out), seasonal, gain)


def _days_to_hold_out(data: TrainingSet) -> list[date]:
    """The newest dates on which, among customers who could be kept, and before which both outcomes occurred; newest
    first."""
    days: list[date] = []
    for day in reversed(data.snapshot_dates):
        if len(days) == HELD_OUT_DATES or not has_both_outcomes(data.known_by(day).newest(RECENT_SNAPSHOTS)):
            break
        customers = data.at([day])
        if has_both_outcomes(customers.where(customers.keepable)):
            days.append(day)
    return days


def hold_out(day: date, past: TrainingSet, customers: TrainingSet) -> HeldOut:
    """Trains everything on `past`, which must have been known at `day`, and predicts for the customers of that day."""
    recent = past.newest(RECENT_SNAPSHOTS)
    predicted = {name: fit(recent)(customers.features) for name, fit in BASELINES.items()}
    process = fit_process(past)
    models = {name: ChurnModel.train(fit, past, process) for name, fit in CANDIDATES.items()}
    predicted |= {name: model.churn_probability(customers.features) for name, model in models.items()}
    has_year_before = past.year_before(day) is not None
    in_season = {name: model.in_season(past, day) for name, model in models.items()} if has_year_before else {}
    return HeldOut(day, tuple(recent.snapshot_dates), customers, models, in_season, predicted)


def _season_gain(held_out: list[HeldOut]) -> float | None:
    """How much smaller the squared errors of the candidates are with the season; None where no season is known."""
    gains = []
    for plain in held_out:
        seasoned = plain.seasoned()
        gains += [plain.qualities[name].brier - seasoned.qualities[name].brier for name in plain.in_season]
    return float(np.mean(gains)) if gains else None


def _require_enough(data: TrainingSet) -> None:
    dates = data.snapshot_dates
    if not dates or not len(data.known_by(dates[-1])):
        raise TooLittleData(
            f"The history is shorter than two and a half horizons of {data.horizon_days} days: nothing is left to test"
            " a model on. Give more history or a shorter HORIZON_DAYS."
        )
    customers = len(data.at([dates[-1]]))
    if customers < MIN_CUSTOMERS:
        raise TooLittleData(
            f"{customers} customers had bought by {dates[-1]}, the last date whose outcome is known;"
            f" a model needs {MIN_CUSTOMERS}."
        )
    if not has_both_outcomes(data):
        left = int(data.churned.sum())
        raise TooLittleData(
            f"{left} of {len(data)} past outcomes are churn: a model needs at least {MIN_PER_OUTCOME} customers"
            " who left and as many who stayed. Another HORIZON_DAYS may separate them."
        )


def has_both_outcomes(data: TrainingSet) -> bool:
    left = int(data.churned.sum())
    return min(left, len(data) - left) >= MIN_PER_OUTCOME
