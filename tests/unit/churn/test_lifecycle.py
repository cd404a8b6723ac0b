"""Where a customer stands: new, active, due, slipping or gone."""

import numpy as np
import pytest

from flows.churn.btyd import BuyTillYouDie
from flows.churn.lifecycle import ACTIVE_FROM, GONE_BELOW, lifecycle
from flows.settings import REPOSITORY
from functions.churn_api.contract import FEATURE_NAMES, LIFECYCLES, feature_position

PROCESS = BuyTillYouDie(r=0.8, alpha=70.0, a=0.4, b=2.0, s=0.5, beta=300.0)


def stage(alive, *, purchases, silent_days, usual_days):
    row = np.zeros((1, len(FEATURE_NAMES)))
    figures = {
        "frequency": purchases, "recency_days": silent_days, "tenure_days": silent_days + 30 * (purchases - 1),
        "shrunk_gap_days": usual_days,
    }  # fmt: skip
    for name, value in figures.items():
        row[0, feature_position(name)] = value
    (found,) = lifecycle(row, np.array([alive]), PROCESS)
    return LIFECYCLES[int(found)]


@pytest.mark.parametrize(
    ("alive", "purchases", "silent_days", "expected"),
    [
        (0.80, 1, 90, "new"),
        (0.80, 1, 91, "due"),
        (0.94, 5, 90, "active"),
        (0.94, 5, 91, "due"),  # almost certainly there, and late
        (0.92, 5, 10, "due"),  # in time, and not sure of
        (0.50, 5, 91, "slipping"),
        (0.13, 5, 400, "slipping"),
        (0.12, 5, 400, "gone"),
        (0.12, 1, 10, "gone"),  # whatever else holds
    ],
)
def test_the_stage_is_the_first_that_holds(alive, purchases, silent_days, expected):
    assert stage(alive, purchases=purchases, silent_days=silent_days, usual_days=90) == expected


def test_slipping_compares_with_the_day_of_the_last_purchase():
    after = float(PROCESS.alive_after_purchase(np.array([4.0]))[0])
    assert stage(0.74 * after, purchases=5, silent_days=120, usual_days=90) == "slipping"
    assert stage(0.76 * after, purchases=5, silent_days=120, usual_days=90) == "due"


def test_the_documents_state_the_limits():
    text = (REPOSITORY / "docs" / "marts.md").read_text(encoding="utf-8")
    assert f"`alive_probability` is at most {GONE_BELOW:g}".replace("0.", ".") in text
    assert f"`alive_probability` is above {ACTIVE_FROM:g}".replace("0.", ".") in text
