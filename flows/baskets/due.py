"""Who buys something again, and for whom it is time."""

import numpy as np
import pyarrow as pa

from flows.baskets.purchases import Habits, Pairs, Purchases

DUE_FROM = 0.8  # of the usual gap: a message takes a few days to be read


def buyers_of(purchases: Purchases, as_of: int, due: bool) -> pa.Array:
    """The ids of everyone who bought any of one product, by an ordinal; if `due`, of those for whom DUE_FROM of their
    usual gap, drawn towards everybody's, has passed. Nobody is due for what nobody has bought twice."""
    known = purchases.until(as_of)
    pairs = Pairs.of(known)
    if not due:
        return purchases.customer_ids.take(pa.array(pairs.customer))
    usual = Habits.of(known, pairs, as_of, catalogue_days=1).gap_days[pairs.product]
    gap = (pairs.last_day - pairs.first_day + usual) / pairs.bought_times
    is_due = as_of - pairs.last_day >= DUE_FROM * gap  # never where the gap is not known
    return purchases.customer_ids.take(pa.array(pairs.customer[np.asarray(is_due)]))
