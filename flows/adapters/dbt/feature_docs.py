"""dbt's documentation and contract of the features, written from `functions/churn_api/contract.py`.

`make generate` rewrites the file; a test names every difference between the two.
"""

import sys
import types
import typing
from pathlib import Path
from typing import Any

import yaml

from flows.settings import REPOSITORY
from functions.churn_api.contract import CustomerFeatures

FEATURES_YML = REPOSITORY / "dbt_project" / "models" / "marts" / "customer_features.yml"

_HEADER = "# Generated from functions/churn_api/contract.py by `make generate`. Change it there.\n"
_SQL_TYPES = {int: "integer", float: "double"}
_KEY = [
    {"name": "customer_id", "data_type": "varchar", "description": "The shop's own customer id."},
    {"name": "as_of_date", "data_type": "date", "description": "The features are as known at the end of this day."},
]


def render_features_yml() -> str:
    """The text of dbt_project/models/marts/customer_features.yml."""
    features = [_column(name) for name in CustomerFeatures.model_fields]
    outcome = [
        {"name": "segment", "data_type": "varchar", "description": "RFM segment among the customers of the date."},
        {"name": "churned", "data_type": "boolean", "description": "No purchase within the horizon after the date."},
        {"name": "spend_in_horizon", "data_type": "double", "description": "Net spend within the horizon after it."},
        {
            "name": "days_to_next_purchase",
            "data_type": "integer",
            "description": "Days to the next purchase, however late; NULL where none is known at the as-of date.",
        },
    ]
    models = [
        {
            "name": "customer_features",
            "description": "What the churn model knows of each customer at the as-of date. Grain: customer.",
            "config": {"contract": {"enforced": True}},
            "columns": [
                {**_KEY[0], "data_tests": ["unique", "not_null"]},
                _KEY[1],
                *(
                    {**column, "constraints": [{"type": "not_null"}]} if _required(column["name"]) else column
                    for column in features
                ),
            ],
        },
        {
            "name": "int_training_snapshots",
            "description": "Features at past dates with what happened next. Grain: customer × as_of_date.",
            "data_tests": [{"unique_combination": {"arguments": {"columns": ["customer_id", "as_of_date"]}}}],
            "columns": [*_KEY, *features, *outcome],
        },
    ]
    return _HEADER + yaml.dump({"models": models}, Dumper=_WithoutAliases, sort_keys=False, width=120)


class _WithoutAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _column(name: str) -> dict[str, Any]:
    field = CustomerFeatures.model_fields[name]
    assert isinstance(field.json_schema_extra, dict)
    kinds = [kind for kind in typing.get_args(field.annotation) or (field.annotation,) if kind is not types.NoneType]
    return {
        "name": name,
        "data_type": _SQL_TYPES[kinds[0]],
        "description": f"{field.description} ({field.json_schema_extra['unit']}).",
    }


def _required(name: str) -> bool:
    return CustomerFeatures.model_fields[name].is_required()


if __name__ == "__main__":
    Path(FEATURES_YML).write_text(render_features_yml(), encoding="utf-8")
    sys.stdout.write(f"wrote {FEATURES_YML.relative_to(REPOSITORY)}\n")
