"""Where a customer stands, by their own pace: new, active, due, slipping or gone.

One definition, traced into the model's graph, so that SQL, the API and the page read one figure. It rests on the
probability that a customer is still there, not on the churn probability: who buys once a year does not buy within the
horizon and has not left.
"""

import numpy as np

from flows.churn.btyd import BuyTillYouDie, Floats, history
from flows.churn.training_set import column
from functions.churn_api.contract import LIFECYCLES, Lifecycle

# P(alive) from which somebody is called active, and below which they are called gone
ACTIVE_FROM = 0.93
GONE_BELOW = 0.12
# share of the P(alive) right after their last purchase below which they are slipping: a quarter of it is lost
SLIPPING_BELOW = 0.75


def lifecycle(features: Floats, alive_probability: Floats, process: BuyTillYouDie) -> Floats:
    """Positions in `contract.LIFECYCLES`, [n], as doubles, of the first of these that holds:

    gone: P(alive) is below GONE_BELOW. new: one purchase, and silent no longer than usual, which after one purchase is
    the horizon. active: P(alive) is at least ACTIVE_FROM, and silent no longer than usual. slipping: P(alive) is below
    SLIPPING_BELOW of what it was right after the last purchase. due: all others, who are silent for longer than usual
    or have bought too few times to be sure of them, and whose next purchase decides.
    """
    repeats, _, _ = history(features)
    as_usual = column(features, "recency_days") <= column(features, "shrunk_gap_days")
    slips = alive_probability <= SLIPPING_BELOW * process.alive_after_purchase(repeats)
    stage = np.where(slips, _stage("slipping"), _stage("due"))
    stage = np.where((alive_probability > ACTIVE_FROM) & as_usual, _stage("active"), stage)
    stage = np.where((repeats <= 0) & as_usual, _stage("new"), stage)
    found: Floats = np.where(alive_probability <= GONE_BELOW, _stage("gone"), stage)
    return found


def _stage(name: Lifecycle) -> float:
    return float(LIFECYCLES.index(name))
