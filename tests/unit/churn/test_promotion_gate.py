from dataclasses import dataclass
from datetime import date

import numpy as np
import pytest

from flows.churn.backtest import run_backtest
from flows.churn.evaluation import mean_quality
from flows.churn.promotion_gate import Champion, decide_promotion
from flows.churn.selection import select
from tests.examples.snapshots import made_up_snapshots

MONTHS = [date(2025, month, 1) for month in range(1, 9)]
AS_OF = date(2025, 10, 1)


@dataclass
class FixedScores:
    """A champion that says something of its own: `wrong` mixes what it knows with the opposite."""

    probability: dict[bytes, float]
    wrong: float

    def score(self, features, days_of_year):
        p = np.array([self.probability[row.tobytes()] for row in features])
        return type("Scores", (), {"churn_probability": (1 - self.wrong) * p + self.wrong * (1 - p)})


@pytest.fixture(scope="module")
def tested():
    backtest = run_backtest(made_up_snapshots(MONTHS, 400))
    return backtest, select(backtest).candidate


def champion(tested, *, wrong=0.0, trained_as_of="2025-04-01", **changes):
    backtest, kept = tested
    predicted = {}
    for h in backtest.held_out:
        predicted |= {row.tobytes(): p for row, p in zip(h.customers.features, h.probability[kept], strict=True)}
    card = {
        "model_version": "old",
        "trained_as_of": trained_as_of,
        "horizon_days": 60,
        "clv_days": 365,
        "trained_on": {"shop": "shop"},
        "quality": mean_quality(backtest.qualities[kept]),
        "held_out": [
            {"date": str(h.day), "quality": {"brier": h.qualities[kept].brier + changes.get("brier", 0.0)}}
            for h in backtest.held_out
        ],
    }
    return Champion(card | {k: v for k, v in changes.items() if k in card}, FixedScores(predicted, wrong))


def verdict(tested, champion, *, version="new", as_of=AS_OF, shop="shop", rejected=()):
    backtest, kept = tested
    return decide_promotion(version, kept, backtest, as_of, shop, champion, rejected)


def test_the_first_model_is_promoted(tested):
    assert verdict(tested, None).promote


def test_a_model_that_is_as_good_replaces_the_champion(tested):
    found = verdict(tested, champion(tested))
    assert found.promote
    assert "not worse" in found.why
    assert "neither was trained on" in found.why


def test_a_model_that_is_better_replaces_the_champion(tested):
    assert verdict(tested, champion(tested, wrong=0.5)).promote


def test_a_model_that_is_worse_than_the_champion_on_dates_neither_had_seen_stays_in_reserve(tested):
    """The champion knows the outcomes outright here, so that any model is worse."""
    backtest, _ = tested
    seer = champion(tested)
    for h in backtest.held_out:
        for row, left in zip(h.customers.features, h.customers.churned, strict=True):
            seer.scorer.probability[row.tobytes()] = 0.95 if left else 0.05
    found = verdict(tested, seer)
    assert not found.promote
    assert not found.use_new
    assert "worse than the champion" in found.why


@pytest.mark.parametrize(("brier", "promoted"), [(0.0, True), (0.2, True), (-0.2, False)])
def test_a_champion_that_has_seen_all_outcomes_is_compared_by_its_own_backtest(tested, brier, promoted):
    """Its scores there would be flattered: what its card says of the same dates is not."""
    found = verdict(tested, champion(tested, trained_as_of="2025-10-01", brier=brier, wrong=1.0))
    assert found.promote is promoted
    assert "tested before" in found.why


def test_a_champion_of_another_shop_or_horizon_is_not_compared_with(tested):
    assert verdict(tested, champion(tested), shop="another").promote
    assert verdict(tested, champion(tested, horizon_days=28)).promote
    assert verdict(tested, champion(tested, clv_days=730)).promote


def test_a_run_in_the_past_uses_its_own_model_and_leaves_the_champion_alone(tested):
    found = verdict(tested, champion(tested, trained_as_of="2025-12-01"))
    assert found.use_new
    assert not found.promote


def test_a_model_that_somebody_rolled_back_from_does_not_return_by_itself(tested):
    found = verdict(tested, champion(tested), version="new", rejected=("new",))
    assert not found.promote
    assert not found.use_new
    for_another_horizon = verdict(tested, champion(tested, horizon_days=28), version="new", rejected=("new",))
    assert not for_another_horizon.promote
    assert for_another_horizon.use_new


def test_a_model_that_is_less_calibrated_than_allowed_and_than_the_champion_stays_in_reserve(tested, monkeypatch):
    monkeypatch.setattr("flows.churn.promotion_gate.MAX_ECE", -1.0)
    good = champion(tested, quality={"ece": 0.001})
    assert not verdict(tested, good).promote
    assert "calibration" in verdict(tested, good).why
    first = verdict(tested, None)
    assert first.promote
    assert "read with care" in first.why
