"""The metadata of a model, after Mitchell et al., Model Cards for Model Reporting (2019)."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np

from flows.churn import monitoring
from flows.churn.backtest import Backtest, HeldOut
from flows.churn.btyd import Floats
from flows.churn.candidates import BASELINES, CANDIDATES
from flows.churn.churn_model import NEXT_ORDER_CHANCES, ChurnModel
from flows.churn.clv_window import clv_window_quality
from flows.churn.evaluation import Flags, Quality, by_group, mean_quality, normalised_gini, reliability
from flows.churn.forecast import COVERAGE
from flows.churn.onnx_export import PARITY_TOLERANCE, ExportedModel
from flows.churn.second_order import second_order_quality
from flows.churn.selection import Selection, waiting_times_of_others
from flows.churn.spend import rate_so_far
from flows.churn.threads import in_one_thread
from flows.churn.training_set import HORIZONS_TO_KEEP, TrainingSet
from functions.churn_api.contract import CONTRACT_FINGERPRINT, FEATURE_NAMES
from functions.churn_api.scorer import day_of_year

INTENDED_USE = (
    "Ranking and rating the customers of the shop it was trained on, for lists, budgets and forecasts. Not for"
    " deciding prices, credit or service of a person. A probability of churn predicts who leaves, not which customers a"
    " message would keep: that takes a campaign with a control group."
)
LIMITS = (
    "Uses orders only: no visits, no service contacts, no competitors.",
    "A season that is in no snapshot, such as the first Christmas of a young shop, shifts the probabilities.",
    "Customers are identified by the shop's id: a person with two ids is two customers.",
    "Reasons explain what moves the score away from a typical customer's; they are not causes in the world.",
    "The next order's date follows a buy-till-you-die process scaled to churn probability, past waiting times and the"
    " season of the year before, which knows no single days: around feasts and sales it is days off.",
)


def model_card(
    exported: ExportedModel,
    model: ChurnModel,
    backtest: Backtest,
    selection: Selection,
    data: TrainingSet,
    as_of: date,
    shop: str,
    fingerprint: str,
) -> dict[str, Any]:
    """A JSON-ready card. Qualities are those of held-out dates, newest first; the served model is then trained again on
    all data, which the qualities do not reflect. `fingerprint`: that of the data, see recipe.py."""
    kept = selection.candidate
    return {
        "model_version": exported.model_version,
        "algorithm": kept,
        "predicts": f"P(no purchase in the {data.horizon_days} days after the as-of date)"
        " of every customer who bought before",
        "intended_use": INTENDED_USE,
        "limits": list(LIMITS),
        "horizon_days": data.horizon_days,
        "clv_days": data.clv_days,
        "trained_as_of": str(as_of),
        "trained_on": _trained_on(data, shop, fingerprint),
        **_qualities(backtest, kept),
        "choice": {
            "rule": "the simplest, unless a more complex one has clearly smaller squared errors",
            "candidates": list(CANDIDATES),
            "gains": {name: asdict(gain) for name, gain in selection.gains.items()},
        },
        "season": {
            "follows_the_year_before": backtest.seasonal,
            "gain_in_squared_error": backtest.season_gain,
            "is_known": bool(np.any(model.season.log_odds)),
            "shift_of_log_odds": float(model.season.log_odds[day_of_year(as_of)]),
            "monthly_shifts_of_log_odds": _monthly(model.season.log_odds),
            "monthly_levels_of_spend": _monthly(np.exp(model.season.log_spend)),
            "monthly_haste": _monthly(np.exp(model.season.log_haste)),
        },
        "spend": {
            "level": selection.spend.level,
            "interval_of_total": _interval((selection.spend.low, selection.spend.high)),
            "held_out": [
                _spend_quality(h, kept, level)
                for h, level in zip(backtest.held_out, selection.spend.of_others, strict=True)
            ],
        },
        "clv": {"interval_of_total": _interval(model.value.total)},
        "clv_window": in_one_thread(clv_window_quality, data, kept),
        "second_order": second_order_quality(backtest.held_out, kept),
        "next_order": next_order_quality(backtest.held_out, kept, as_of),
        "drift_reference": _drift_reference(model, data),
        "onnx": {"largest_difference_to_the_trained_model": exported.parity, "tolerance": PARITY_TOLERANCE},
        "contract": CONTRACT_FINGERPRINT,
        "features": list(FEATURE_NAMES),
    }


def _interval(ends: tuple[float, float] | None) -> dict[str, float] | None:
    """Factors of a total between which it lies with a chance of COVERAGE."""
    return ends and {"coverage": COVERAGE, "low": round(ends[0], 4), "high": round(ends[1], 4)}


def _trained_on(data: TrainingSet, shop: str, fingerprint: str) -> dict[str, Any]:
    return {
        "shop": shop,
        "snapshots": [str(day) for day in data.snapshot_dates],
        "rows": len(data),
        "customers": len(set(data.customer_ids.tolist())),
        "sampled_of": data.newest(1).totals.customers if data.population else None,
        "fingerprint": fingerprint,
        "churn_rate": round(data.totals.churn_rate, 5),
    }


def _qualities(backtest: Backtest, kept: str) -> dict[str, Any]:
    """Quality of the chosen candidate and of all others, on customers who could still be kept and on all: means, each
    held-out date, and groups of all customers of the newest date."""
    newest = backtest.newest
    return {
        "measured_on": "customers who could still be kept: their last order was at most"
        f" {HORIZONS_TO_KEEP * newest.customers.horizon_days} days ago",
        "quality": _rounded(mean_quality(backtest.qualities[kept])),
        "quality_of_all": _rounded(mean_quality(backtest.qualities_of_all[kept])),
        "comparison": {
            name: _rounded(mean_quality(qualities) | _of_all(backtest.qualities_of_all[name]))
            | {"baseline": name in BASELINES}
            for name, qualities in backtest.qualities.items()
        },
        "held_out": [
            {
                "date": str(h.day),
                "trained_on_snapshots": [str(day) for day in h.trained_on],
                "quality": h.qualities[kept].as_dict(),
                "quality_of_all": h.qualities_of_all[kept].as_dict(),
                "reliability": [_rounded(row) for row in reliability_of(h, kept)],
            }
            for h in backtest.held_out
        ],
        "by_segment": [asdict(row) for row in _groups(newest, kept, newest.customers.segments)],
        "by_purchases": [asdict(row) for row in _groups(newest, kept, _purchases(newest))],
    }


def reliability_of(h: HeldOut, candidate: str) -> list[dict[str, float]]:
    """Predicted and observed by decile of the customers who could still be kept."""
    return reliability(h.customers.churned[h.keepable], h.probability[candidate][h.keepable])


def _of_all(qualities: Sequence[Quality]) -> dict[str, float]:
    return {f"{name}_of_all": value for name, value in mean_quality(qualities).items() if name in ("auc", "brier")}


def _monthly(of_days: Floats) -> dict[str, float]:
    """By the first day of each month as as-of date."""
    firsts = [date(2026, month, 1) for month in range(1, 13)]
    return {f"{day:%B}": round(float(of_days[day_of_year(day)]), 4) for day in firsts}


def _drift_reference(model: ChurnModel, data: TrainingSet) -> dict[str, Any]:
    newest = data.newest(1)
    before = data.known_by(data.snapshot_dates[-1]).newest(1)
    return monitoring.reference(
        data.horizon_days,
        newest.features, model.churn_probability(newest.features),
        before.features, model.churn_probability(before.features),
    )  # fmt: skip


def next_order_quality(held_out: Sequence[HeldOut], candidate: str, as_of: date) -> list[dict[str, Any]]:
    """For each predicted probability of a next order by a day: how often it came, for days that have passed.

    The waiting time of each date is that of the other dates."""
    by_date = [
        next_order_came(h.models[candidate].with_waiting_time(of_others), h.customers, (as_of - h.day).days)
        for h, of_others in zip(held_out, waiting_times_of_others(candidate, held_out), strict=True)
    ]
    rows = []
    for chance in NEXT_ORDER_CHANCES:
        all_came = np.concatenate([came[chance] for came in by_date])
        share = round(float(all_came.mean()), 4) if len(all_came) else None
        rows.append({"chance": chance, "came": share, "customers": len(all_came)})
    return rows


def next_order_came(model: ChurnModel, customers: TrainingSet, days_followed: int) -> dict[float, Flags]:
    """By probability: whether the next order came by its day, for customers whose day has passed."""
    came = {}
    for chance, days in zip(NEXT_ORDER_CHANCES, np.ceil(model.next_order_days(customers.features)).T, strict=False):
        passed = days <= days_followed
        came[chance] = customers.days_to_next_purchase[passed] <= days[passed]
    return came


def _spend_quality(h: HeldOut, candidate: str, level: float) -> dict[str, Any]:
    expected = level * h.models[candidate].expected_spend(h.customers.features)
    return {
        "date": str(h.day),
        "expected": round(float(expected.sum()), 2),
        "actual": round(float(h.customers.spend.sum()), 2),
        "gini": round(normalised_gini(h.customers.spend, expected), 4),
        "gini_of_the_rate_so_far": round(normalised_gini(h.customers.spend, rate_so_far(h.customers)), 4),
    }


def _groups(h: HeldOut, candidate: str, groups: Any) -> Any:
    return by_group(h.customers.churned, h.probability[candidate], groups)


def _purchases(h: HeldOut) -> Any:
    frequency = h.customers.column("frequency")
    names = np.array(["1 purchase", "2 to 4 purchases", "5 purchases or more"], dtype=object)
    return names[np.digitize(frequency, [2, 5])]


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 5) for name, value in figures.items()}
