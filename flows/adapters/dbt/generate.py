"""Generates dbt's descriptions of features, predictions and metrics: names, types and meanings, from their definitions.

`make generate` rewrites the files; a test names every difference.
"""

import json
import sys
from typing import Any, get_args

import yaml

from flows.adapters.dbt.metrics import metrics_yml
from flows.settings import REPOSITORY
from functions.churn_api.contract import FEATURE_NAMES, FEATURES
from functions.predicted import NEXT_ORDER_COLUMNS, NEXT_ORDER_FIELDS, PREDICTED
from functions.prediction_record import COLUMNS, PredictionRecord, sql_type

_MODELS = REPOSITORY / "dbt_project" / "models"
FEATURES_YML = _MODELS / "marts" / "features" / "customer_features.yml"
SNAPSHOTS_YML = _MODELS / "training" / "int_training_snapshots.yml"
PREDICTIONS_YML = _MODELS / "marts" / "scores" / "churn_predictions.yml"
METRICS_YML = _MODELS / "marts" / "_marts__metrics.yml"
MACROS = REPOSITORY / "dbt_project" / "macros" / "features" / "contract.sql"

_HEADER = "Generated from {} by `make generate`. Change it there."
_KEY = [
    {"name": "customer_id", "data_type": "varchar", "description": "The shop's own customer id."},
    {"name": "as_of_date", "data_type": "date", "description": "The features are as known at the end of this day."},
]
_OUTCOME = [
    {"name": "segment", "data_type": "varchar", "description": "RFM segment among the customers of the date."},
    {"name": "churned", "data_type": "boolean", "description": "No purchase within the horizon after the date."},
    {"name": "spend_in_horizon", "data_type": "double", "description": "Net spend within the horizon after it."},
    {
        "name": "days_to_next_purchase",
        "data_type": "integer",
        "description": "Days to the next purchase, however late; NULL where none is known at the as-of date.",
    },
    {
        "name": "spend_in_clv_window",
        "data_type": "double",
        "description": "Net spend within clv_days after it; NULL where they have not passed by the as-of date.",
    },
]


def render_features_yml() -> str:
    """The text of FEATURES_YML."""
    not_null = {"constraints": [{"type": "not_null"}]}
    model = {
        "name": "customer_features",
        "description": "What the churn model knows of each customer at the as-of date. Grain: customer.",
        "config": {"contract": {"enforced": True}},
        "columns": [
            {**_KEY[0], "data_tests": ["unique", "not_null"]},
            _KEY[1],
            *(_column(name) | (not_null if feature.is_required else {}) for name, feature in FEATURES.items()),
        ],
    }
    return _text("functions/churn_api/contract.py", model)


def render_snapshots_yml() -> str:
    """The text of SNAPSHOTS_YML."""
    features = [_column(name) for name in FEATURES]
    model = {
        "name": "int_training_snapshots",
        "description": "Features at past dates with what happened next. Grain: customer × as_of_date.",
        "data_tests": [{"unique_combination": {"arguments": {"columns": ["customer_id", "as_of_date"]}}}],
        "columns": [*_KEY, *features, *_OUTCOME],
    }
    return _text("functions/churn_api/contract.py", model)


def render_predictions_yml() -> str:
    """The text of PREDICTIONS_YML."""
    bands = list(get_args(PredictionRecord.model_fields["risk_band"].annotation))
    stages = list(get_args(get_args(PredictionRecord.model_fields["lifecycle"].annotation)[0]))
    tests: dict[str, list[Any]] = {
        "prediction_id": ["unique", "not_null"],
        "churn_probability": ["not_null"],
        "risk_band": [{"accepted_values": {"arguments": {"values": bands}}}],
        "lifecycle": [{"accepted_values": {"arguments": {"values": stages}}}],
    }
    columns = [
        {"name": name, "data_type": kind, "description": PredictionRecord.model_fields[name].description}
        | ({"data_tests": tests[name]} if name in tests else {})
        for name, kind in COLUMNS.items()
    ]
    model = {
        "name": "churn_predictions",
        "description": "Every predicted churn probability. A batch has one per customer, as-of date and horizon, and"
        " scoring a date again replaces it; by the API and external functions there is one per request (customer, date,"
        " figures, model), however often it was requested. Grain: prediction.",
        "config": {"contract": {"enforced": True}},
        "columns": columns,
    }
    return _text("functions/prediction_record.py", model)


def render_metrics_yml() -> str:
    """The text of METRICS_YML."""
    return _in_yaml("flows/adapters/dbt/metrics.py", metrics_yml())


def render_macros() -> str:
    """The text of MACROS: the names that SQL is made from."""
    next_order = {column: NEXT_ORDER_FIELDS[name] for name, column in NEXT_ORDER_COLUMNS.items()}
    return "\n".join(
        [
            "{# " + _HEADER.format("functions/") + " #}\n",
            _macro("The features of the contract, in its order.", "churn_model_features", list(FEATURE_NAMES)),
            _macro("What predict_churn yields, with types.", "predicted_fields", PREDICTED),
            _macro("Of which of these fields a day of marts.churn_predictions is.", "next_order_fields", next_order),
        ]
    )


def _macro(description: str, name: str, value: list[str] | dict[str, str]) -> str:
    written = json.dumps(value, indent=4)
    return f"{{# {description} #}}\n{{% macro {name}() -%}}\n{{{{ return({written}) }}}}\n{{%- endmacro %}}\n"


def _text(source: str, model: dict[str, Any]) -> str:
    return _in_yaml(source, {"models": [model]})


def _in_yaml(source: str, content: dict[str, Any]) -> str:
    in_yaml = yaml.dump(content, Dumper=_WithoutAliases, sort_keys=False, width=120, allow_unicode=True)
    return f"# {_HEADER.format(source)}\n{in_yaml}"


GENERATED = {
    FEATURES_YML: render_features_yml,
    SNAPSHOTS_YML: render_snapshots_yml,
    PREDICTIONS_YML: render_predictions_yml,
    METRICS_YML: render_metrics_yml,
    MACROS: render_macros,
}


class _WithoutAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _column(name: str) -> dict[str, Any]:
    feature = FEATURES[name]
    return {
        "name": name,
        "data_type": sql_type(int if feature.is_whole else float),
        "description": f"{feature.description} ({feature.unit}).",
    }


if __name__ == "__main__":
    for file, render in GENERATED.items():
        file.write_text(render(), encoding="utf-8")
        sys.stdout.write(f"wrote {file.relative_to(REPOSITORY)}\n")
