"""What the card says of lifecycle and CLV once their clv_days have passed."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from flows.churn.candidates import CANDIDATES
from flows.churn.clv_window import clv_window_quality
from functions.churn_api.contract import LIFECYCLES
from tests.examples.snapshots import made_up_snapshots

MONTHS = [date(2023 + month // 12, month % 12 + 1, 1) for month in range(36)]
NEWEST_KNOWN = MONTHS[23]
SIMPLEST = next(iter(CANDIDATES))


def snapshots(spend_of_newest=1.0):
    """Three years, whose spend in clv_days is known of the first two: four times that of the horizon."""
    data = made_up_snapshots(MONTHS, 300)
    newest = np.datetime64(NEWEST_KNOWN)
    spent = 4 * data.spend * np.where(data.dates == newest, spend_of_newest, 1.0)
    return replace(data, spend_in_clv_window=np.where(data.dates <= newest, spent, np.nan))


def test_spend_of_the_newest_known_date_is_next_to_what_earlier_dates_expected_of_it():
    quality, doubled = (clv_window_quality(snapshots(times), SIMPLEST) for times in (1.0, 2.0))
    assert (quality["date"], quality["level_was_known"]) == (str(NEWEST_KNOWN), True)
    assert quality["of_all"]["expected_to_actual"] == pytest.approx(1, abs=0.25)
    assert doubled["of_all"]["expected"] == quality["of_all"]["expected"]
    assert doubled["of_all"]["actual"] == pytest.approx(2 * quality["of_all"]["actual"])


def test_every_customer_is_in_one_lifecycle():
    quality = clv_window_quality(snapshots(), SIMPLEST)
    assert tuple(row["lifecycle"] for row in quality["by_lifecycle"]) == LIFECYCLES
    for total in ("customers", "actual", "expected"):
        assert sum(row[total] for row in quality["by_lifecycle"]) == pytest.approx(quality["of_all"][total], abs=0.05)
    assert {row["bought"] for row in quality["by_lifecycle"] if not row["customers"]} <= {None}


def test_a_young_shop_knows_nothing_of_it():
    data = snapshots()
    nothing_known = replace(data, spend_in_clv_window=np.full(len(data), np.nan))
    assert clv_window_quality(nothing_known, SIMPLEST) is None
    assert clv_window_quality(data.at(MONTHS[23:]), SIMPLEST) is None
