"""What past promises came to, and how the next one is corrected by it."""

import numpy as np
import pytest

from flows.campaigns.out_of_fold import Interval
from flows.campaigns.track_record import NO_RECORD, KeptPromise, TrackRecord, deviation

NEXT = Interval.of(1_000.0, 100.0)


def kept(promised, came, treated=500, error=100.0):
    return KeptPromise(treated, promised, promised, error, came, error)


def test_without_a_record_a_promise_stays_as_it_is():
    assert NO_RECORD.corrected(NEXT, 500) == NEXT


def test_a_promise_is_lowered_by_what_the_last_ones_were_too_high_by_and_less_so_after_one_alone():
    one, many = TrackRecord([kept(900, 600)]), TrackRecord([kept(900, 600)] * 20)
    means = [record.corrected(NEXT, 500).mean for record in (many, one)]
    assert 700 < means[0] < 740
    assert means[0] < means[1] == pytest.approx(900)  # a third of the 300: as uncertain as two of three
    assert many.corrected(NEXT, 1_000).mean == pytest.approx(1_000 - 2 * (1_000 - means[0]))  # by customer


def test_the_interval_is_wider_for_what_is_not_known_of_the_error():
    corrected = TrackRecord([kept(900, 600)]).corrected(NEXT, 500)
    assert corrected.high - corrected.low > NEXT.high - NEXT.low


def test_a_result_that_is_hardly_known_changes_little():
    corrected = TrackRecord(
        [
            kept(900, -5_000, error=100.0),
        ]
    ).corrected(NEXT, 500)
    vague = TrackRecord([KeptPromise(500, 900, 900, 100.0, -5_000, 10_000.0)]).corrected(NEXT, 500)
    assert abs(vague.mean - 1_000) < 5 < abs(corrected.mean - 1_000)


def test_what_was_corrected_before_is_not_corrected_twice():
    """The error is that of the promise without its correction of then."""
    lowered = KeptPromise(500, promised=600, uncorrected=900, uncorrected_error=100, came=600, came_error=100)
    assert TrackRecord([lowered]).corrected(NEXT, 500) == TrackRecord([kept(900, 600)]).corrected(NEXT, 500)


def test_over_many_shops_a_biased_promise_is_corrected_and_its_interval_holds_what_comes():
    rng = np.random.default_rng(5)
    held = {"corrected": 0, "as it was": 0}
    for _ in range(400):
        truths = rng.normal(1_000, 300, 6)
        promises = truths + 250 + rng.normal(0, 100, 6)  # 250 too high
        record = TrackRecord([kept(p, t + rng.normal(0, 100)) for p, t in zip(promises[:5], truths[:5], strict=True)])
        own = Interval.of(promises[5], 100.0)
        for name, given in (("corrected", record.corrected(own, 500)), ("as it was", own)):
            held[name] += given.low <= truths[5] <= given.high
    assert held["as it was"] < 100
    assert 330 < held["corrected"] < 390


def test_only_the_last_four_are_reported():
    assert TrackRecord([kept(100, 50)] * 3 + [kept(200, 100)] * 3).total() == (4, 500, 250)


@pytest.mark.parametrize(
    ("promised", "came", "expected"), [(120, 100, 0.2), (80, 100, -0.2), (100, -5, None), (-5, 100, None), (5, 0, None)]
)
def test_too_high_is_a_share_of_what_came_where_that_says_something(promised, came, expected):
    assert deviation(promised, came) == (None if expected is None else pytest.approx(expected))


def test_errors_come_from_the_ends_of_the_intervals():
    of = KeptPromise.of(500, 100.0, (110.0, 110 - 164.5, 110 + 164.5), (90.0, 90 - 196.0, 90 + 196.0))
    assert (of.uncorrected_error, of.came_error) == pytest.approx((100, 100))
