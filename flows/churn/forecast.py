"""The total of expected spend: at which level, and how far from it the total may come."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from flows.churn.btyd import Floats

COVERAGE = 0.8
LEVEL_RANGE = (0.5, 2.0)
# Single horizons are usually off by about a tenth. A few dates that happen to agree, or not, count next to that, as if
# it were known from so many more of them.
USUAL_SPREAD = 0.1
USUAL_SPREAD_COUNTS = 3


@dataclass(frozen=True)
class SpendForecast:
    """`level`: what a model's expected spend is multiplied by. `of_others`: for each held-out date the level that the
    other dates give, with which that date is reported: fitted and reported on different dates. `low`, `high`: an
    interval on the total, as factors of the expected one; it holds the total in COVERAGE of all horizons."""

    level: float
    of_others: tuple[float, ...]
    low: float
    high: float


def forecast_of_totals(expected: Floats, actual: Floats, horizons_apart: float) -> SpendForecast:
    """From totals of dates, [n]. `horizons_apart`: from the first to the last of them, in horizons.

    The interval is that of a new log-ratio of actual to expected given the others (Student's t), whose spread is that
    of these dates and the usual one. Horizons that overlap are not independent: they count as many as fit in one after
    the other, and two dates at the least."""
    dates = np.arange(len(expected))
    of_others = tuple(_level(expected[dates != date], actual[dates != date]) for date in dates)
    known = (expected > 0) & (actual > 0)
    if known.sum() < 2:
        return SpendForecast(_level(expected, actual), of_others, *LEVEL_RANGE)
    ratios = np.log(actual[known] / expected[known])
    independent = min(max(1 + horizons_apart, 2.0), float(known.sum()))
    freedom = independent - 1 + USUAL_SPREAD_COUNTS
    variance = ((independent - 1) * ratios.var(ddof=1) + USUAL_SPREAD_COUNTS * USUAL_SPREAD**2) / freedom
    spread = t.ppf((1 + COVERAGE) / 2, freedom) * np.sqrt(variance * (1 + 1 / independent))
    reach = float(np.exp(np.minimum(spread, np.log(LEVEL_RANGE[1]))))
    return SpendForecast(_level(expected, actual), of_others, 1 / reach, reach)


def _level(expected: Floats, actual: Floats) -> float:
    """Actual spend divided by expected spend."""
    if not (expected.sum() > 0 and actual.sum() > 0):
        return 1.0
    return float(np.clip(actual.sum() / expected.sum(), *LEVEL_RANGE))
