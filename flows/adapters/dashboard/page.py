"""Builds the page from its packed data, style and script."""

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import yaml

from flows.adapters.dashboard.affinities import read_affinities
from flows.adapters.dashboard.campaigns import read_campaigns
from flows.adapters.dashboard.contact_list import read_contact_list
from flows.adapters.dashboard.cube import BUCKETS, read_cube
from flows.adapters.dashboard.customers import pack_customers
from flows.adapters.dashboard.first_screen import newest_order, trust_level
from flows.adapters.dashboard.packing import packed
from flows.adapters.marts.changes import read_changes
from flows.adapters.marts.monitoring import RELATION as MONITORING
from flows.adapters.marts.monitoring import RELIABILITY, describe_warnings
from flows.adapters.marts.promises import read_totals
from flows.adapters.marts.run_report import QUEUES, ModelReport, RunReport, Total
from flows.churn.training_set import HORIZONS_TO_KEEP
from flows.ports.warehouse import Warehouse
from flows.sources.receipt import Receipt, masked
from functions.churn_api.contract import risk_bands

MAX_BYTES = 1_500_000  # an e-mail takes it, and a phone opens it at once
MIN_BYTES_OF_CUSTOMERS = 500_000  # also where all else takes more, in shops of many hundred thousand customers
_HERE = Path(__file__).parent
_SCRIPTS = (
    "words.js", "filters.js", "marks.js", "pictures.js", "lines.js", "time.js", "trust.js", "campaigns.js", "list.js",
    "customers.js", "drawer.js", "affinities.js", "receipt.js", "workbook.js", "take_along.js", "address.js",
    "views.js", "first_screen.js", "page.js",
)  # fmt: skip
_REALISED = ("auc", "brier", "ece", "expected_to_actual_spend")


def write_dashboard(warehouse: Warehouse, report: RunReport, file: Path) -> None:
    """Writes the page of a finished run; the file is replaced atomically."""
    cube = read_cube(warehouse)
    data = {
        "texts": yaml.safe_load((_HERE / "texts.yml").read_text(encoding="utf-8")),
        "meta": _meta(warehouse, report),
        "members": cube.members,
        "cells": cube.cells,
        "retention": cube.retention,
        "months": cube.months,
        "list": read_contact_list(warehouse, cube.members, report.settings.show_pii),
        "trust": _trust(warehouse, report),
        "changes": _changes(warehouse, report),
        "promises": read_totals(warehouse, report.as_of.date, report.as_of.currency),
        "campaigns": read_campaigns(warehouse, report.as_of.date),
        "affinities": read_affinities(warehouse),
        "receipt": _receipt(report.receipt) | {"left_out": asdict(report.left_out)},
    }
    template = jinja2.Template((_HERE / "page.html.j2").read_text(encoding="utf-8"), autoescape=True)
    parts = {
        "as_of": report.as_of.date,
        "contacts_file": report.settings.contacts_file.name,
        "style": (_HERE / "page.css").read_text(encoding="utf-8"),
        "script": "\n".join((_HERE / "script" / name).read_text(encoding="utf-8") for name in _SCRIPTS),
        "data": packed(data),
    }
    room = max(MAX_BYTES - len(template.render(parts).encode()), MIN_BYTES_OF_CUSTOMERS)
    customers, details = pack_customers(warehouse, cube.members, report.as_of.date, report.settings.show_pii, room)
    page = template.render(parts, customers=customers, details=details)
    draft = file.with_suffix(".draft")
    draft.write_text(page, encoding="utf-8")
    draft.replace(file)


def _changes(warehouse: Warehouse, report: RunReport) -> dict[str, Any] | None:
    """None where nobody was scored, or there was no run as of an earlier day."""
    return read_changes(warehouse, report.as_of.date, report.as_of.horizon_days) if report.model else None


def _meta(warehouse: Warehouse, report: RunReport) -> dict[str, Any]:
    segments = warehouse.read(
        """select segments.rules_expect, definitions.definition
        from staging.rfm_segments as segments
        inner join marts.segment_definitions as definitions on segments.segment = definitions.segment
        order by segments.position"""
    ).to_pydict()
    scored_at, version, clv_days = warehouse.row(
        "select max(scored_at), max(model_version), max(clv_days) from marts.marketing_customers"
    )
    later = f"{report.later_rows:,} order lines are later than {report.as_of.date} and were ignored"
    notes = [later] if report.later_rows else []
    return {
        "as_of": str(report.as_of.date),
        "horizon_days": report.as_of.horizon_days,
        "currency": report.as_of.currency,
        "newest_order": newest_order(report),
        "age_warnings": report.age.warnings,
        "customers": report.customers,
        "is_scored": report.model is not None,
        "forecast": _forecast(report),
        "second_order": report.second_order and asdict(report.second_order),
        "why_unscored": report.why_no_model,
        "scored_at": scored_at and f"{scored_at.isoformat()}Z",
        "model_version": version,
        "rules_expect": segments["rules_expect"],
        "definitions": segments["definition"],
        "borders": _borders(report),
        "queues": QUEUES,
        "clv_days": clv_days,
        "clv": _total(report.clv) | {"days": clv_days},
        "expected_loss": {"expected": report.expected_loss, "uncorrected": report.uncorrected_loss},
        "bucket_bands": risk_bands((np.arange(BUCKETS) + 0.5) / BUCKETS),
        "order_lines": report.order_lines,
        "notes": [*report.identity_notes, *notes],
        "shows_pii": report.settings.show_pii,
        "crm_link": report.settings.crm_link,
    }


def _forecast(report: RunReport) -> dict[str, Any]:
    """The total of expected spend, next to what the customers of then spent on the same days of last year."""
    return _total(report.expected_spend) | {"last_year": report.spend_last_year}


def _total(total: Total) -> dict[str, Any]:
    """`correction`: None where past forecasts say nothing."""
    low, high, coverage = total.ends or (None, None, None)
    correction = asdict(total.correction) | {"uncorrected": total.uncorrected} if total.correction.forecasts else None
    return {"expected": total.expected, "low": low, "high": high, "coverage": coverage, "correction": correction}


def _borders(report: RunReport) -> dict[str, Any] | None:
    kept = report.borders
    if kept is None:
        return None
    return {
        "window_days": kept.window_days,
        "decided_as_of": str(kept.decided_as_of),
        "review_due_on": str(kept.review_due_on),
        "is_provisional": kept.is_provisional,
    }


def _receipt(receipt: Receipt) -> dict[str, Any]:
    """What was read, without who the customers are."""
    return {
        "totals": [
            {name: value for name, value in asdict(of).items() if not name.endswith(("_customer", "_id"))}
            | {"first_on": str(of.first_on), "last_on": str(of.last_on)}
            for of in receipt.totals
        ],
        "months": [{**asdict(of), "month": str(of.month), "net": of.net} for of in receipt.months],
        "rejections": [{**asdict(of), "example": masked((of.example or "")[:60])} for of in receipt.rejections],
        "contacts": {"contacts": receipt.contacts.contacts, "of_nobody": receipt.contacts.of_nobody},
    }


def _quality(model: ModelReport) -> dict[str, float] | None:
    if model.quality is None:
        return None
    of_all = model.model.card["quality_of_all"]["auc"]
    return model.quality | {"auc_of_all": of_all, "days_to_keep": HORIZONS_TO_KEEP * model.model.horizon_days}


def _trust(warehouse: Warehouse, report: RunReport) -> dict[str, Any]:
    """Quality of the model where outcomes are known: before it was promoted, and since."""
    version, of = report.model.version if report.model else "", report.as_of
    known = f"horizon_days = {of.horizon_days} and as_of_date <= '{of.date - timedelta(days=of.horizon_days)}'"
    newest = warehouse.read(
        f"""select model_version, cast(as_of_date as varchar) as as_of_date from {MONITORING}
        where measure = 'auc' and {known}
        order by as_of_date desc, case when model_version = '{version}' then 0 else 1 end, measured_at desc limit 1"""
    ).to_pylist() or [{"model_version": "", "as_of_date": "0001-01-01"}]
    is_newest = "model_version = '{model_version}' and as_of_date = '{as_of_date}'".format(**newest[0])
    deciles = warehouse.read(
        f"""select evidence, cast(as_of_date as varchar) as as_of_date, mean_probability, churn_rate, standard_error
        from {RELIABILITY} where horizon_days = {of.horizon_days} and (
            (evidence = 'held_out' and model_version = '{version}') or (evidence = 'realised' and {is_newest})
        ) order by evidence, as_of_date, tenth"""
    )
    measures = ", ".join(f"'{name}'" for name in _REALISED)
    realised = warehouse.read(
        f"select * from {MONITORING} where measure in ({measures}) and {known} and {is_newest} order by measure"
    )
    warnings = list(dict.fromkeys([*describe_warnings(realised), *describe_warnings(report.measured)]))
    return {
        "level": trust_level(report, warnings),
        "quality": report.model and _quality(report.model),
        "reliability": deciles.to_pylist(),
        "realised": [
            {name: row[name] for name in ("measure", "value", "limit_value", "is_warning")}
            | {"as_of_date": str(row["as_of_date"]), "model_version": row["model_version"]}
            for row in realised.to_pylist()
        ],
        "warnings": warnings,
    }
