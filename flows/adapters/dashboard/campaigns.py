"""Campaign results for the page: the newest campaigns, with results for those whose window has ended."""

import json
import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from flows.adapters.marts.global_holdout import read_newest
from flows.ports.warehouse import Warehouse

MAX_SHOWN = 12
_DIGITS = 6  # significant digits: rounding must not move the end of an interval across zero
_RESULT = (
    "segment",
    "treated",
    "held_out",
    "contacted",
    "treated_rate",
    "held_out_rate",
    "lift",
    "lift_low",
    "lift_high",
    "cost",
    "profit",
    "profit_low",
    "profit_high",
    "additional_buyers",
    "incremental_revenue",
    "return_on_spend",
    "cost_per_additional_buyer",
    "is_sample_ratio_off",
)
_AFTERWARDS = ("revenue_afterwards", "revenue_afterwards_low", "revenue_afterwards_high")  # fmt: skip


def read_campaigns(warehouse: Warehouse, as_of: date) -> dict[str, Any]:
    """Campaigns launched by a day. `launched`: how many. `newest`: the newest of them, each with its `results` by
    segment, those of the whole campaign ("all") first. Results are empty until the window has ended by that day, so
    withheld figures are not in the page at all. `together`: what all campaigns changed, by the global holdout."""
    launched = f"marts.campaigns where launched_on <= '{as_of}'"
    shown = f"""shown as (
        select * from {launched}
        qualify row_number() over (order by launched_on desc, launched_at desc, campaign) <= {MAX_SHOWN}
    )"""
    newest = warehouse.read(
        f"""with {shown},
        sent as (
            select campaign, count(distinct customer_id) as contacted
            from marts.campaign_sends where result = 'sent' group by campaign
        )
        select shown.campaign, cast(shown.launched_on as varchar) as launched_on,
            cast(shown.window_ends_on as varchar) as window_ends_on, shown.window_days,
            shown.definition, shown.ranked_by, shown.currency,
            shown.treated, shown.held_out, coalesce(sent.contacted, 0) as contacted,
            shown.window_ends_on <= '{as_of}' as has_ended
        from shown left join sent on shown.campaign = sent.campaign
        order by shown.launched_on desc, shown.launched_at desc, shown.campaign"""
    ).to_pylist()
    results: dict[str, list[dict[str, Any]]] = {}
    afterwards = [f"case when results.afterwards_until <= '{as_of}' then {name} end as {name}" for name in _AFTERWARDS]
    found = warehouse.read(
        f"""with {shown}
        select results.campaign, {", ".join(f"results.{name}" for name in _RESULT)},
            {", ".join(afterwards)}
        from shown
        inner join marts.campaign_results as results on shown.campaign = results.campaign
        left join staging.rfm_segments as segments on results.segment = segments.segment
        where shown.window_ends_on <= '{as_of}'
        order by case when results.segment = 'all' then 0 else 1 end, segments.position nulls last, results.segment"""
    )
    for row in found.to_pylist():
        results.setdefault(row["campaign"], []).append(
            _for_json({name: row[name] for name in (*_RESULT, *_AFTERWARDS)})
        )
    together = read_newest(warehouse, as_of)
    return {
        "together": together and _for_json({name: _plain(value) for name, value in together.items()}),
        "launched": int(warehouse.row(f"select count(*) from {launched}")[0]),
        "newest": [
            {name: row[name] for name in row if name != "definition"}
            | {"offer": _offer(row["definition"]), "results": results.get(row["campaign"], [])}
            for row in newest
        ],
    }


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, date) else value


def _offer(definition: str) -> str:
    return str(json.loads(definition)["offer"]["text"])


def _for_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """Rounded; null for what is not a finite number, such as the end of an unbounded interval."""
    return {name: _rounded(value) if isinstance(value, float) else value for name, value in row.items()}


def _rounded(value: float) -> float | None:
    return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
