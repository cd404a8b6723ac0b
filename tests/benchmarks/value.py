"""The list by expected loss, and what customers are worth, by what happened in a simulated year that was not seen.

Lost is what those who left in the year would have spent in the rest of it, by their true pace and basket."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from flows.churn.btyd import Floats
from flows.churn.evaluation import Flags
from flows.simulator.regimes import REGIMES
from tests.benchmarks.measured import Figure
from tests.benchmarks.unseen_year import SEEDS, UnseenYear, unseen_years

# of a shop with habits only the customers' leaving is known, not what they would have bought by the calendar
SHOPS = {name: profile for name, profile in REGIMES.items() if profile.habits is None}
TOP = 0.1
GOALS = {
    "caught": ("spend lost to leavers in the first tenth by expected loss", "≥ 55 %", 0.55, 1.0),
    "had_left": ("… had left already", "≤ 15 %", 0.0, 0.15),
    "loss": ("… sum of expected loss ÷ true loss", ".75 to 1.25", 0.75, 1.25),
    "clv": ("… expected ÷ actual spend of the year", "", 0.0, np.inf),
    "covered": ("… spent within their interval of 80 %", "", 0.0, np.inf),
}


def measure(_: Path) -> Iterator[Figure]:
    for name, profile in SHOPS.items():
        years = [_figures(year) for year in unseen_years(profile)]
        for figure, (what, target, low, high) in GOALS.items():
            mean, form = float(np.mean([year[figure] for year in years])), _form(figure)
            each = ", ".join(form.format(year[figure]) for year in years)
            others = {"caught": _others(years)}.get(figure, "")
            yield Figure(
                f"{name}: {what}" if figure == "caught" else what,
                form.format(mean),
                f"seeds {', '.join(map(str, SEEDS))}: {each}{others}",
                target,
                low <= mean <= high if target else None,
            )


def _figures(year: UnseenYear) -> dict[str, float]:
    features, spent = year.customers.features, year.customers.spend_in_clv_window
    clv, low, high, expected_loss, _ = year.model.customer_value(features).T
    first = _first(expected_loss)
    return {
        "caught": float(year.lost[first].sum() / year.lost.sum()),
        "caught_by_spend": float(year.lost[_first(year.model.expected_spend(features))].sum() / year.lost.sum()),
        "caught_at_best": float(year.lost[_first(year.lost_at_best)].sum() / year.lost.sum()),
        "caught_in_hindsight": float(year.lost[_first(year.lost)].sum() / year.lost.sum()),
        "had_left": float(year.had_left[first].mean()),
        "loss": float(expected_loss.sum() / year.lost.sum()),
        "clv": float(clv.sum() / spent.sum()),
        "covered": float(((low <= spent) & (spent <= high)).mean()),
    }


def _first(score: Floats) -> Flags:
    """The customers of the first tenth of a list."""
    chosen = np.zeros(len(score), dtype=bool)
    chosen[np.argsort(-score, kind="stable")[: int(len(score) * TOP)]] = True
    return chosen


def _others(years: Sequence[Any]) -> str:
    names = ("caught_by_spend", "caught_at_best", "caught_in_hindsight")
    spend, best, hindsight = (np.mean([year[name] for year in years]) for name in names)
    return (
        f"; by expected spend {spend:.0%}, by the expectation of who knows the shop's true distributions {best:.0%},"
        f" in hindsight {hindsight:.0%}"
    )


def _form(figure: str) -> str:
    return "{:.2f}" if figure in ("loss", "clv") else "{:.1%}"
