"""The metrics of the marts for machines: dbt's semantic models, from the columns' documentation and the page's words.

A metric has the name of its column, the column's description, and the page's label in both languages, so that page,
workbook, agents and whatever reads dbt's semantic manifest say the same of the same figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from flows.adapters.dbt.descriptions import read_descriptions
from flows.settings import REPOSITORY

PAGE_TEXTS = REPOSITORY / "flows" / "adapters" / "dashboard" / "texts.yml"
PROJECT = REPOSITORY / "dbt_project"


@dataclass(frozen=True)
class Metric:
    """`agg` of `expr`, by default the column of its name. `column`: whose description it has. `label`: what the page
    calls it, as a key of its texts; or in both languages, where it does not show it alone."""

    name: str
    label: str | tuple[str, str]
    agg: str = "sum"
    expr: str = ""
    column: str = ""
    description: str = ""


@dataclass(frozen=True)
class Ratio:
    name: str
    label: str | tuple[str, str]
    numerator: str
    denominator: str
    description: str


@dataclass(frozen=True)
class Model:
    """A mart: its key, the date that it is by, what it can be grouped by, and its metrics."""

    mart: str
    entity: str
    key: str
    time: str
    dimensions: Sequence[str]
    metrics: Sequence[Metric]
    granularity: str = "day"
    is_unique: bool = True


def _of_whole(column: str) -> str:
    """A campaign whose arms are not as they were drawn has no result, and rows of segments would count it twice."""
    return f"case when segment = 'all' and not is_sample_ratio_off then {column} end"


MODELS = (
    Model(
        "marketing_customers", "customer", "customer_id", "as_of_date",
        ("segment", "lifecycle", "risk_band", "queue", "country", "channel", "currency"),
        (
            Metric("customers", "customers", "count", "customer_id", description="Customers with a purchase."),
            Metric("spend_last_365_days", "spend_last_365_days"),
            Metric("expected_spend", "expected_spend"),
            Metric("expected_loss", "expected_loss"),
            Metric("clv", ("Customer lifetime value", "Valeur vie client")),
            Metric("win_back_value", ("Win-back value", "Valeur de reconquête")),
            Metric("mean_churn_probability", "mean_probability", "average", "churn_probability", "churn_probability"),
        ),
    ),
    Model(
        "campaign_results", "campaign", "campaign", "launched_on", ("segment", "currency"),
        (
            Metric("campaign_cost", ("Cost of campaigns", "Coût des campagnes"), expr=_of_whole("cost"), column="cost"),
            Metric("campaign_profit", "profit", expr=_of_whole("profit"), column="profit"),
            Metric("additional_buyers", ("Additional buyers", "Acheteurs supplémentaires"),
                   expr=_of_whole("additional_buyers")),
            Metric("incremental_revenue", ("Incremental revenue", "CA supplémentaire"),
                   expr=_of_whole("incremental_revenue")),
        ),
        is_unique=False,
    ),
    Model(
        "promises", "promise", "subject", "due_on", ("kind", "subject", "currency"),
        (
            Metric("promised", ("Promised", "Promis"), expr="case when came is not null then promised end",
                   description="What was promised, of promises that have come due and could be settled."),
            Metric("came", ("What came", "Obtenu")),
        ),
        is_unique=False,
    ),
    Model(
        "cohort_retention", "cohort", "cohort_quarter", "cohort_quarter",
        ("quarters_since", "segment", "country", "channel", "risk_band"),
        (
            Metric("cohort_customers", ("Customers of the cohort", "Clients de la cohorte"), expr="customers",
                   column="customers"),
            Metric("active_customers", ("Active customers", "Clients actifs")),
        ),
        granularity="quarter", is_unique=False,
    ),
)  # fmt: skip
RATIOS = (
    Ratio("return_on_spend", ("Return on spend", "CA par euro dépensé"), "incremental_revenue", "campaign_cost",
          "incremental_revenue ÷ cost, of all campaigns together."),
    Ratio("retention", ("Retention", "Rétention"), "active_customers", "cohort_customers",
          "Share of the customers of a cohort who bought in the quarter."),
)  # fmt: skip


def metrics_yml() -> dict[str, Any]:
    """The content of `_marts__metrics.yml`."""
    descriptions, labels = read_descriptions(PROJECT), yaml.safe_load(PAGE_TEXTS.read_text(encoding="utf-8"))["labels"]

    def text(model: Model, name: str) -> str:
        of = descriptions.of(model.mart)
        assert of is not None
        return of.columns[name]

    def described(model: Model, metric: Metric) -> str:
        return metric.description or text(model, metric.column or metric.name)

    return {
        "semantic_models": [
            {
                "name": model.mart,
                "model": f"ref('{model.mart}')",
                "description": (of := descriptions.of(model.mart)) and of.text,
                "defaults": {"agg_time_dimension": model.time},
                **({} if model.is_unique else {"primary_entity": model.entity}),
                "entities": [{"name": model.entity, "type": "primary", "expr": model.key}] if model.is_unique else [],
                "dimensions": [
                    {
                        "name": model.time,
                        "type": "time",
                        "description": text(model, model.time),
                        "type_params": {"time_granularity": model.granularity},
                    },
                    *(
                        {"name": name, "type": "categorical", "description": text(model, name)}
                        for name in model.dimensions
                    ),
                ],
                "measures": [
                    {
                        "name": metric.name,
                        "agg": metric.agg,
                        "description": described(model, metric),
                        **({"expr": metric.expr} if metric.expr else {}),
                    }
                    for metric in model.metrics
                ],
            }
            for model in MODELS
        ],
        "metrics": [
            *(
                _metric(metric, described(model, metric), labels, "simple", {"measure": metric.name})
                for model in MODELS
                for metric in model.metrics
            ),
            *(
                _metric(ratio, ratio.description, labels, "ratio",
                        {"numerator": ratio.numerator, "denominator": ratio.denominator})
                for ratio in RATIOS
            ),
        ],
    }  # fmt: skip


def _metric(
    of: Metric | Ratio, description: str, labels: dict[str, dict[str, str]], kind: str, parameters: dict[str, str]
) -> dict[str, Any]:
    english, french = (labels[of.label][tongue] for tongue in ("en", "fr")) if isinstance(of.label, str) else of.label
    return {
        "name": of.name,
        "label": english,
        "description": description,
        "type": kind,
        "type_params": parameters,
        "config": {"meta": {"label_fr": french}},
    }
