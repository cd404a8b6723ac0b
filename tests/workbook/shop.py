"""A made-up shop's marts: a few hundred rows with everything that is awkward, and none."""

import random
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.adapters.marts import monitoring
from flows.adapters.tableau.extract import MARTS
from flows.settings import REPOSITORY

AS_OF = date(2026, 6, 30)
SCORED_AT = datetime.fromisoformat("2026-07-01 05:30:00")
A_MONTH_BEFORE = datetime.fromisoformat("2026-06-01 06:00:00")
TWO_MONTHS_BEFORE = datetime.fromisoformat("2026-05-02 06:00:00")
MODEL = "2026-06-30-h90-5cc7e8b7"
LIFECYCLES = ("slipping", "gone", "active", "slipping", "new", "slipping", "due", "slipping")
QUEUE_OF = {"slipping": "keep", "gone": "win_back", "active": "thank"}
SEGMENTS = ("Champions", "Loyal", "Potential loyalists", "At risk", "Can't lose", "Hibernating", "Lost")

_SQL_TYPES = {"string": "varchar", "int32": "integer", "int64": "bigint", "double": "double", "bool": "boolean"}
_TABLEAU_TYPES = {"varchar": "string", "bigint": "integer", "double": "real", "timestamp": "datetime"}


@cache
def contract() -> dict[str, dict[str, str]]:
    """Columns of the marts with their SQL types: from dbt's contracts, and of what the flows write, from its schema."""
    models = yaml.safe_load((REPOSITORY / "dbt_project/models/marts/_marts__models.yml").read_text())["models"]
    found = {
        model["name"]: {column["name"]: column["data_type"] for column in model["columns"]}
        for model in models
        if model["name"] in MARTS
    }
    written = {"model_monitoring": monitoring.NO_MEASUREMENTS.schema, "model_reliability": monitoring.NO_DECILES.schema}
    return found | {name: {field.name: _sql_type(field.type) for field in schema} for name, schema in written.items()}


def tableau_types() -> dict[str, dict[str, str]]:
    """The same columns, as Tableau calls their types."""
    return {
        mart: {
            name: "datetime" if kind == "timestamp" else _TABLEAU_TYPES.get(kind, kind)
            for name, kind in columns.items()
        }
        for mart, columns in contract().items()
    }


def _sql_type(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return "timestamp"
    return "date" if pa.types.is_date(kind) else _SQL_TYPES[str(kind)]


def warehouse(folder: Path, rows: dict[str, list[dict[str, Any]]]) -> DuckDBWarehouse:
    """A warehouse with the marts of the extract and these rows; a column that a row does not have is NULL."""
    made = DuckDBWarehouse(folder / "warehouse.duckdb", folder / "tmp")
    with made.connect() as con:
        con.execute("create schema marts")
        for mart, columns in contract().items():
            declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            con.execute(f"create table marts.{mart} ({declared})")
            if rows.get(mart):
                unknown = {name for row in rows[mart] for name in row} - set(columns)
                assert not unknown, f"{mart} has no {unknown}: the made-up rows no longer fit its contract"
                con.register("made_up", pa.Table.from_pylist(rows[mart]))
                con.execute(f"insert into marts.{mart} by name select * from made_up")
    return made


def rows() -> dict[str, list[dict[str, Any]]]:
    chance = random.Random(11)
    return {
        "marketing_customers": [_customer(n, chance) for n in range(320)],
        "segment_definitions": [_definition(position, segment) for position, segment in enumerate(SEGMENTS, 1)],
        "cohort_retention": _cohorts(chance),
        "model_reliability": _reliability(chance),
        "model_monitoring": _monitoring(chance),
        "campaign_results": _campaigns(),
        "segment_affinities": _affinities(),
    }


def _customer(n: int, chance: random.Random) -> dict[str, Any]:
    is_scored = n % 17 != 3
    is_new = n % 11 == 5
    segment = SEGMENTS[n % len(SEGMENTS)]
    spend = 0.0 if n % 5 == 0 else round(chance.uniform(5, 900), 2)
    probability = [1.0, 0.7, 0.4, 0.0][n] if n < 4 else round(chance.betavariate(2, 1), 6)
    if n in (40, 41, 42, 43):  # the same stake; two of them have spent the same, too
        probability, spend = 0.9, 500.0
    lifecycle = "slipping" if n in (40, 41, 42, 43) else LIFECYCLES[n // 7 % len(LIFECYCLES)]
    expected_loss, win_back_value, clv = probability * spend, round(spend * 0.4, 2), round((1 - probability) * 300, 2)
    values = {"keep": expected_loss, "win_back": win_back_value, "thank": clv}
    queue = QUEUE_OF.get(lifecycle) if is_scored else "win_back"  # without a score the segment decides
    monetary = 900.0 if n in (40, 41) else round(spend + chance.uniform(0, 3000), 2)
    band = "high" if probability >= 0.7 else "medium" if probability >= 0.4 else "low"
    opted_out = None if n % 4 == 0 else n % 6 == 1
    customer_id = {9: "C 9/a+b&c#d?e%f", 10: "c10@example.com"}.get(n, f"C{n:05}")
    last = AS_OF - timedelta(days=n * 5 % 800)
    return {
        "customer_id": customer_id,
        "as_of_date": AS_OF,
        "segment": segment,
        "previous_segment": None if is_new else segment if n % 3 else SEGMENTS[(n + 2) % len(SEGMENTS)],
        "recommended_action": f"What to do with {segment} who are {lifecycle}",
        "queue": queue,
        "queue_value": (values[queue] if is_scored else monetary) if queue else None,
        "why": f"{lifecycle}: last order {n} days ago" if queue else None,
        "r_score": n % 5 + 1,
        "f_score": n // 5 % 5 + 1,
        "m_score": n // 25 % 5 + 1,
        "recency_days": (AS_OF - last).days,
        "frequency": n % 9 + 1,
        "monetary": monetary,
        "tenure_days": (AS_OF - last).days + n,
        "first_purchased_on": last - timedelta(days=n),
        "average_order_value": 30.0,
        "spend_last_365_days": spend,
        "spend_last_period": round(spend / 3, 2),
        "churn_probability": probability if is_scored else None,
        "risk_band": band if is_scored else None,
        "expected_spend": round((1 - probability) * 80, 4) if is_scored else None,
        "next_order_on": AS_OF + timedelta(days=n % 90) if is_scored and n % 2 else None,
        "next_order_if_back_on": AS_OF + timedelta(days=n % 90) if is_scored and n % 8 else None,
        "reason_1": f"higher risk: reason {n % 7}" if is_scored else None,
        "reason_2": f"lower risk: reason {n % 5}" if is_scored else None,
        "reason_3": "higher risk: one order so far" if is_scored and n % 3 else None,
        "alive_probability": round(1 - probability**2, 6) if is_scored else None,
        "lifecycle": lifecycle if is_scored else None,
        "clv": clv if is_scored else None,
        "clv_low": round(clv / 3, 2) if is_scored and n % 4 else None,
        "clv_high": round(clv * 2, 2) if is_scored and n % 4 else None,
        "expected_loss": expected_loss if is_scored else None,
        "win_back_value": win_back_value if is_scored else None,
        "clv_days": 365 if is_scored else None,
        "email": None if n % 4 == 0 else f"person{n}@example.com",
        "opted_out": opted_out,
        "may_be_contacted": not opted_out,
        "country": None if n % 13 == 0 else ("Germany", "France", "Belgium")[n % 3],
        "channel": None if n % 19 == 0 else ("web", "shop", "social", "mail")[n % 4],
        "currency": "EUR",
        "model_version": MODEL if is_scored else None,
        "scored_at": SCORED_AT if is_scored else None,
    }


def _definition(position: int, segment: str) -> dict[str, Any]:
    return {
        "segment": segment,
        "position": position,
        "rules_expect": "unsure",
        "meaning": f"What {segment} are in every shop",
        "definition": f"silent {position * 30} to {position * 60} days, 2 or more orders",
        "window_days": 360,
        "borders_as_of_date": date(2026, 1, 31),
        "review_due_on": date(2027, 1, 31),
        "is_provisional": False,
    }


def _cohorts(chance: random.Random) -> list[dict[str, Any]]:
    quarters = [date(2025, 1, 1), date(2025, 4, 1), date(2025, 7, 1), date(2025, 10, 1)]
    found = []
    for position, quarter in enumerate(quarters):
        for segment in SEGMENTS[:4]:
            customers = chance.randint(1, 40)
            for since in range(len(quarters) - position):
                active = customers if since == 0 else chance.randint(0, customers)
                found.append(
                    {
                        "cohort_quarter": quarter,
                        "quarters_since": since,
                        "segment": segment,
                        "country": None if segment == "Loyal" else "France",
                        "channel": "web",
                        "risk_band": None if segment == "Loyal" else "high",
                        "customers": customers,
                        "active_customers": active,
                    }
                )
    return found


def _reliability(chance: random.Random) -> list[dict[str, Any]]:
    batches = [
        ("older", "held_out", date(2025, 12, 1), TWO_MONTHS_BEFORE),  # of a model that scores no longer
        (MODEL, "held_out", date(2026, 3, 1), SCORED_AT),
        (MODEL, "held_out", date(2026, 4, 1), SCORED_AT),
        ("older", "realised", date(2026, 1, 31), TWO_MONTHS_BEFORE),
        ("older", "realised", date(2026, 2, 28), SCORED_AT),
    ]
    return [
        {
            "model_version": version,
            "evidence": evidence,
            "as_of_date": day,
            "horizon_days": 90,
            "tenth": tenth,
            "customers": chance.randint(20, 60),
            "mean_probability": round(tenth / 10.5 + chance.uniform(-0.02, 0.02), 5),
            "churn_rate": round(tenth / 10.6 + chance.uniform(-0.05, 0.05), 5),
            "standard_error": round(chance.uniform(0.01, 0.05), 5),
            "measured_at": measured_at,
        }
        for version, evidence, day, measured_at in batches
        for tenth in range(1, 11)
    ]


def _monitoring(chance: random.Random) -> list[dict[str, Any]]:
    def row(version: str, day: date, measure: str, feature: str, value: float, limit: float, measured_at: datetime):
        return {
            "model_version": version,
            "as_of_date": day,
            "horizon_days": 90,
            "measure": measure,
            "feature": feature,
            "value": value,
            "limit_value": limit,
            "is_warning": value < limit if measure == "auc" else value > limit,
            "customers": chance.randint(100, 300),
            "measured_at": measured_at,
        }

    found = []
    for day, measured_at in ((date(2026, 5, 31), A_MONTH_BEFORE), (AS_OF, SCORED_AT)):
        for feature in ("recency_days", "frequency", "monetary", "tenure_days"):
            drift = round(chance.uniform(0, 0.4), 6)
            found.append(row(MODEL, day, "feature_drift", feature, drift, 0.25, measured_at))
        found.append(row(MODEL, day, "score_drift", "", round(chance.uniform(0, 0.3), 6), 0.25, measured_at))
    for day, measured_at in ((date(2026, 1, 31), TWO_MONTHS_BEFORE), (date(2026, 2, 28), SCORED_AT)):
        found += [
            row("older", day, measure, "", round(chance.uniform(*between), 4), limit, measured_at)
            for measure, between, limit in (
                ("auc", (0.7, 0.8), 0.76),
                ("brier", (0.1, 0.2), 0.2),
                ("ece", (0.01, 0.08), 0.05),
                ("expected_to_actual_spend", (0.9, 1.4), 1.25),
            )
        ]
    return found


def _affinities() -> list[dict[str, Any]]:
    """Names out of the alphabet's order; one that chance explains; of discounts that is not known."""
    found = {
        "last_bought_by_leavers": [("gift cards", "category", 40, 0.25, 0.05, True),
                                   ("coffee", "category", 61, 0.36, 0.51, True),
                                   ("a very long name of a product category that no column is wide enough for",
                                    "category", 30, 0.18, 0.1, True),
                                   ("beans", "category", 41, 0.26, 0.24, False)],
        "brings_back": [("tea", "category", 90, 0.61, 0.4, True), ("cups", "category", 44, 0.2, 0.4, True)],
        "bought_at_a_discount": [(name, "segment", 20 + n, 0.5 - n / 20, 0.3, None)
                                 for n, name in enumerate(reversed(SEGMENTS))],
    }  # fmt: skip
    names = ("name", "kind", "customers", "share", "share_of_shop", "is_clear")
    return [
        dict(zip(names, row, strict=True))
        | {"measure": measure, "position": position, "as_of_date": AS_OF, "scored_at": SCORED_AT}
        for measure, rows in found.items()
        for position, row in enumerate(rows, 1)
    ]


def _ends(name: str, mean: float | None, low: float | None, high: float | None) -> dict[str, float | None]:
    return {name: mean, f"{name}_low": low, f"{name}_high": high}


def _campaigns() -> list[dict[str, Any]]:
    def row(campaign: str, segment: str, launched_on: date, lift: float, low: float, high: float, cost: float):
        return {
            "campaign": campaign,
            "segment": segment,
            "launched_on": launched_on,
            "window_ends_on": launched_on + timedelta(days=30),
            "treated": 400,
            "held_out": 100,
            "contacted": 390,
            "treated_rate": 0.2 + lift,
            "held_out_rate": 0.2,
            "lift": lift,
            "lift_low": low,
            "lift_high": high,
            "margin_per_treated": lift * 30,
            "margin_low": low * 30,
            "margin_high": high * 30,
            "cost": cost,
            "profit": lift * 30 * 400 - cost,
            "profit_low": low * 30 * 400 - cost,
            "profit_high": high * 30 * 400 - cost,
            "window_days": 30,
            "offer": "5 € off",
            **_ends("additional_buyers", 400 * lift, 400 * low, 400 * high),
            **_ends("incremental_revenue", lift * 30_000, low * 30_000, high * 30_000),
            "return_on_spend": lift * 30_000 / cost,
            "cost_per_additional_buyer": cost / (400 * lift) if lift > 0 else None,
            **_ends("revenue_afterwards", None, None, None),
            "afterwards_until": None,
            "sample_ratio_p": 0.0001 if campaign == "Odd draw" else 0.4,
            "is_sample_ratio_off": campaign == "Odd draw",
            "ranked_by": "chance",
            "currency": "EUR",
        }

    spring, summer = date(2026, 3, 2), date(2026, 6, 1)
    return [
        row("Spring win-back", "all", spring, 0.05, 0.01, 0.09, 200.0),
        row("Spring win-back", "At risk", spring, 0.07, -0.01, 0.15, 120.0),
        row("Spring win-back", "Can't lose", spring, 0.02, -0.08, 0.12, 80.0),
        row("Summer mailing", "all", summer, -0.04, -0.07, -0.01, 150.0),
        row("Summer mailing", "At risk", summer, -0.04, -0.1, 0.02, 150.0),
        row("Odd draw", "all", summer, 0.06, 0.02, 0.1, 90.0),
        row("Odd draw", "Lost", summer, 0.06, 0.02, 0.1, 90.0),
    ]
