"""The process of a shop, with the trend of its customers' pace."""

from datetime import date

import numpy as np

from flows.churn.btyd import BuyTillYouDie, Floats
from flows.churn.training_set import YEAR_TOLERANCE_DAYS, TrainingSet

YEAR = 365
# Standard deviation of what is expected of the logarithm of a year's change: where little is known, there is none.
USUAL_CHANGE = 0.3


def fit_process(past: TrainingSet) -> BuyTillYouDie:
    """The process of the newest snapshot, in days at the pace of then."""
    return BuyTillYouDie.fit(past.newest(1).features, yearly_change(past) / YEAR)


def yearly_change(past: TrainingSet) -> float:
    """The logarithm by which the pace of customers who stay changes in a year; 0 where no two years are known.

    From customers who bought in the horizon after a date, and had been customers for two years by then: they were there
    all the time, so that what they bought in the one year and in the other differs by pace alone, whatever the
    season."""
    years = [bought for day in past.snapshot_dates if (bought := _bought_in_two_years(past, day)) is not None]
    if not years or not years[-1].all():
        return 0.0
    earlier, later = np.sum(years, axis=0)
    # dates share most of their purchases: together they are known about as well as the newest alone
    noise = (1 / years[-1]).sum()
    return float(np.log(later / earlier) * USUAL_CHANGE**2 / (USUAL_CHANGE**2 + noise))


def _bought_in_two_years(past: TrainingSet, day: date) -> Floats | None:
    """Purchases in the year before last and in the last one before `day`, [2]; None: the former is not known."""
    year_before = past.year_before(day)
    if year_before is None:
        return None
    then = past.at([day])
    then = then.where(~then.churned & (then.column("tenure_days") > 2 * YEAR + YEAR_TOLERANCE_DAYS))
    ids, ids_then = year_before.customer_ids.astype(str), then.customer_ids.astype(str)
    _, rows, rows_then = np.intersect1d(ids, ids_then, return_indices=True)
    name = "purchases_last_365_days"
    bought = np.column_stack([year_before.column(name)[rows], then.column(name)[rows_then]])
    total: Floats = bought[~np.isnan(bought).any(axis=1)].sum(axis=0)
    return total
