from datetime import date, timedelta

import pytest

from flows.churn.candidates import BOOSTED, LOGISTIC
from flows.churn.selection import compare_candidates, known_by
from flows.errors import TooLittleData
from tests.unit.snapshots import made_up_snapshots

MONTHS = [date(2025, month, 1) for month in range(1, 9)]


def test_a_model_is_tested_only_on_dates_after_all_that_it_learned_from():
    comparison = compare_candidates(made_up_snapshots(MONTHS, 250), horizon_days=60)
    assert len(comparison.held_out) == 3
    for held_out in comparison.held_out:
        assert set(held_out.customers.dates.tolist()) == {held_out.day}
        assert all(day + timedelta(days=60) <= held_out.day for day in held_out.trained_on)


def test_the_simpler_model_is_kept_on_a_tie():
    assert compare_candidates(made_up_snapshots(MONTHS, 300), horizon_days=60).winner == LOGISTIC


def test_the_trees_are_kept_when_they_are_clearly_better():
    assert compare_candidates(made_up_snapshots(MONTHS, 600, curved=True), horizon_days=60).winner == BOOSTED


def test_the_outcome_of_a_snapshot_is_known_when_its_horizon_has_passed():
    data = made_up_snapshots(MONTHS, 10)
    assert known_by(data, date(2025, 4, 2), 60) == [date(2025, 1, 1), date(2025, 2, 1)]
    assert known_by(data, date(2025, 4, 1), 60) == [date(2025, 1, 1)]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (made_up_snapshots([], 0), "history is shorter"),
        (made_up_snapshots(MONTHS[:2], 300), "history is shorter"),
        (made_up_snapshots(MONTHS, 150), "150 customers had bought .* needs 200"),
        (made_up_snapshots(MONTHS, 300, always=True), "who stayed"),
        (made_up_snapshots(MONTHS, 300, always=False), "who left"),
    ],
)
def test_too_little_data_is_said_with_what_is_missing(data, says):
    with pytest.raises(TooLittleData, match=says):
        compare_candidates(data, horizon_days=60)
