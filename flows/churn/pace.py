"""The process of a shop, with the trend of its customers' pace."""

import numpy as np

from flows.churn.btyd import BuyTillYouDie
from flows.churn.training_set import YEAR_TOLERANCE_DAYS, TrainingSet

YEAR = 365
# Standard deviation of what is expected of the logarithm of a year's change: a shop of whose pace little is known has
# none.
USUAL_CHANGE = 0.15


def fit_process(past: TrainingSet) -> BuyTillYouDie:
    """The process of the newest snapshot, in days at the pace of then."""
    return BuyTillYouDie.fit(past.newest(1).features, yearly_change(past) / YEAR)


def yearly_change(past: TrainingSet) -> float:
    """The logarithm by which the pace of customers who stay changes in a year; 0 where no two years are known.

    From customers who bought in the horizon after a date, and had been customers for two years by then: they stayed all
    the time, so that what they bought in the two years differs by pace alone, whatever the season."""
    purchases = np.zeros(2)
    of_newest = np.zeros(2)
    for day in past.snapshot_dates:
        before = past.year_before(day)
        if before is None:
            continue
        then = past.at([day])
        then = then.where(~then.churned & (then.column("tenure_days") > 2 * YEAR + YEAR_TOLERANCE_DAYS))
        _, of_before, of_then = np.intersect1d(
            before.customer_ids.astype(str), then.customer_ids.astype(str), return_indices=True
        )
        of_newest = np.array(
            [
                before.column("purchases_last_365_days")[of_before].sum(),
                then.column("purchases_last_365_days")[of_then].sum(),
            ]
        )
        purchases += of_newest
    if not of_newest.all():
        return 0.0
    # dates share most of their purchases: together they are known about as well as the newest alone
    noise = (1 / of_newest).sum()
    return float(np.log(purchases[1] / purchases[0]) * USUAL_CHANGE**2 / (USUAL_CHANGE**2 + noise))
