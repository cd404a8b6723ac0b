"""Campaigns in the marts of a warehouse, made up: each way that one can have ended, one that runs, and later ones."""

import json
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa

HOSTILE = "<img src=x onerror=alert(1)>"
RUNNING, UNMEASURED, WITHOUT_HOLDOUT, LATER = "running-now", "not-measured", "nobody-held-out", "after-the-page"
HELPED, HARMED, NOT_SHOWN, NOT_COMPARABLE = "summer-winback", "spring-newsletter", "winter-gifts", "odd-draw"
OFFER = "5 € off <b>"
SEGMENTS = ("At risk", "Can't lose", HOSTILE)

# name, days from launch to the page, ranked by, treated, control group, lift and profit each with their interval
_ENDED: tuple[tuple[str, int, str, int, int, tuple[float, ...], tuple[float, ...]], ...] = (
    (HELPED, 41, "uplift", 1_400, 200, (0.03312, 0.01041, 0.05618), (1_234.4, 310.2, 2_101.9)),
    (HARMED, 88, "chance", 300, 150, (-0.0412, -0.0702, -0.0004), (-810.0, -1_402.3, -9.6)),
    (NOT_COMPARABLE, 107, "chance", 300, 90, (0.0611, 0.0302, 0.0903), (900.0, 200.0, 1_600.0)),
    (NOT_SHOWN, 171, "chance", 250, 250, (0.0114, 0.0, 0.0431), (-55.0, -702.0, 811.0)),
    (HOSTILE, 180, "chance", 200, 50, (0.02, -0.01, 0.05), (1.0, -300.0, 310.0)),
)


def put_campaigns(warehouse: Any, as_of: date, currency: str | None = "EUR") -> None:
    """Writes them into the marts of a warehouse whose page is as of a day."""
    launched, sends, results = [], [], []
    for name, days, ranked_by, treated, held_out, lift, profit in _ENDED:
        launched.append(_launched(name, as_of - timedelta(days), ranked_by, treated, held_out, currency))
        whole = _result(launched[-1], "all", lift, profit) | {"is_sample_ratio_off": name == NOT_COMPARABLE}
        results.append(whole)
        for n, segment in enumerate(SEGMENTS):
            moved = tuple(value * (1 + n) - 0.013 * (n == 2) for value in lift)
            results.append(_result(launched[-1], segment, moved, tuple(value / 3 for value in profit)))
    running = _launched(RUNNING, as_of - timedelta(29), "uplift", 500, 100, currency)  # its last day is tomorrow
    launched += [
        running,
        _launched(UNMEASURED, as_of - timedelta(30), "chance", 80, 20, currency),
        _launched(WITHOUT_HOLDOUT, as_of - timedelta(3), "chance", 60, 0, currency),
        _launched(LATER, as_of + timedelta(1), "chance", 77, 23, currency),
    ]
    # what a run of a later day has left in a warehouse whose page is drawn again for an earlier one
    results.append(_result(running, "all", (0.123456, 0.1, 0.15), (98_765.0, 90_000.0, 99_999.0)))
    for n in range(7):
        sends.append(_sent(running, f"C{n}", "sent" if n < 5 else "opted_out", "csv"))
    sends.append(_sent(running, "C0", "sent", "brevo"))  # again, by another way: still one customer
    put_together_and_promises(warehouse, as_of, currency)
    for name, rows in {"campaigns": launched, "campaign_sends": sends, "campaign_results": results}.items():
        warehouse.merge(f"marts.{name}", _as_the_mart(warehouse, name, rows), ["campaign"])


def put_together_and_promises(warehouse: Any, as_of: date, currency: str | None) -> None:
    """What all campaigns changed until the last day and later, and what came of promises."""
    together = {
        "period_starts_on": as_of - timedelta(90), "period_ends_on": as_of, "campaigns": 7, "cost": 1_680.0,
        "customers": 4_500, "held_out": 250, "customer_rate": 0.31, "held_out_rate": 0.28,
        **_ends("lift", (0.03, 0.01, 0.05)), **_ends("additional_buyers", (135.0, 45.0, 225.0)),
        **_ends("revenue_per_customer", (1.5, -0.5, 3.5)),
        **_ends("incremental_revenue", (6_750.0, -2_250.0, 15_750.0)),
        "sample_ratio_p": 0.6, "currency": currency,
    }  # fmt: skip
    later = together | {"period_ends_on": as_of + timedelta(1), "held_out": 999}
    rows = _as_the_mart(warehouse, "global_holdout_results", [together, later])
    warehouse.merge("marts.global_holdout_results", rows, ["period_ends_on"])
    promise = {
        "kind": "campaign_profit", "stated_on": as_of - timedelta(60), "customers": 500,
        **_ends("uncorrected", (None,) * 3), "promised_low": None, "promised_high": None, "came_low": None,
        "came_high": None, "spend_if_all_stay": None, "currency": currency,
    }  # fmt: skip
    promises = [
        promise | {"subject": f"kept-{n}", "due_on": as_of - timedelta(n), "promised": 120.0, "came": 100.0}
        for n in range(4)
    ]
    promises.append(promises[0] | {"subject": "long-ago", "due_on": as_of - timedelta(9), "promised": 9e6})
    promises.append(promises[0] | {"subject": "later", "due_on": as_of + timedelta(1), "promised": 9e6})
    forecast = {"kind": "expected_spend", "subject": "all customers", "due_on": as_of, "promised": 950.0}
    promises.append(promise | forecast | {"came": 1_000.0})
    warehouse.merge("marts.promises", _as_the_mart(warehouse, "promises", promises), ["kind", "subject"])


def put_old_campaigns(warehouse: Any, as_of: date, count: int) -> None:
    days = [as_of - timedelta(400 + n) for n in range(count)]
    rows = [_launched(f"old-{n}", day, "chance", 10, 10, "EUR") for n, day in enumerate(days)]
    warehouse.merge("marts.campaigns", _as_the_mart(warehouse, "campaigns", rows), ["campaign"])


def _launched(
    name: str, day: date, ranked_by: str, treated: int, held_out: int, currency: str | None
) -> dict[str, Any]:
    return {
        "campaign": name, "launched_on": day, "launched_at": datetime.combine(day, datetime.min.time()),
        "window_days": 30, "window_ends_on": day + timedelta(30), "ranked_by": ranked_by, "treated": treated,
        "held_out": held_out, "margin": 0.4, "cost_per_contact": 0.1, "cost_per_redemption": 5.0, "budget": 500.0,
        "global_holdout": 0.05, **_ends("expected_profit", (None,) * 3), **_ends("uncorrected_profit", (None,) * 3),
        "currency": currency, "destination": "csv", "definition": json.dumps({"offer": {"text": OFFER}}),
    }  # fmt: skip


def _result(of: dict[str, Any], segment: str, lift: tuple[float, ...], profit: tuple[float, ...]) -> dict[str, Any]:
    share = 1.0 if segment == "all" else 0.25
    return {
        **{name: of[name] for name in ("campaign", "launched_on", "window_ends_on", "ranked_by", "currency")},
        "segment": segment, "treated": int(of["treated"] * share), "held_out": int(of["held_out"] * share),
        "contacted": int(of["treated"] * share) - 9, "treated_rate": 0.2114 + lift[0], "held_out_rate": 0.2076,
        "lift": lift[0], "lift_low": lift[1], "lift_high": lift[2], "margin_per_treated": 3.0, "margin_low": 1.0,
        "margin_high": 5.0, "cost": 240.0, "profit": profit[0], "profit_low": profit[1], "profit_high": profit[2],
        "window_days": 30, "offer": OFFER,
        **_ends("additional_buyers", (value * of["treated"] * share for value in lift)),
        **_ends("incremental_revenue", ((value + 240.0) / 0.4 for value in profit)),
        "return_on_spend": 2.345, "cost_per_additional_buyer": 240.0 / (lift[0] * of["treated"] * share),
        **_ends("revenue_afterwards", (-40.0, -95.0, 15.0)), "afterwards_until": of["window_ends_on"] + timedelta(60),
        "sample_ratio_p": 0.5, "is_sample_ratio_off": False,
    }  # fmt: skip


def _ends(name: str, values: Iterable[float | None]) -> dict[str, float | None]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))


def _sent(of: dict[str, Any], customer_id: str, result: str, destination: str) -> dict[str, Any]:
    return {
        "campaign": of["campaign"], "customer_id": customer_id, "destination": destination, "result": result,
        "detail": "", "contacted_on": of["launched_on"] + timedelta(1), "sent_at": of["launched_at"],
    }  # fmt: skip


def _as_the_mart(warehouse: Any, name: str, rows: list[dict[str, Any]]) -> pa.Table:
    """The rows with the columns of the mart, which is as dbt's contract has it."""
    schema = warehouse.read(f"select * from marts.{name} where false").schema
    assert set(schema.names) == set(rows[0]), f"the made-up rows no longer fit the contract of marts.{name}"
    return pa.Table.from_pylist(rows, schema=schema)
