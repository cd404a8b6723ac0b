"""A feature is added as docs/features.md says it is, word for word, to a copy of the project; and what is forgotten is
named."""

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import date

import duckdb
import pyarrow as pa
import pytest

from flows.settings import REPOSITORY
from tests.examples.simulated_snapshots import PURCHASES, build, staged

DIFFS = re.findall(r"```diff\n(.*?)```", (REPOSITORY / "docs" / "features.md").read_text(encoding="utf-8"), re.DOTALL)
AS_OF, HORIZON_DAYS = date(2026, 6, 30), 90
ORDERS = [("2026-03-10", 20.0), ("2026-03-01", 95.5), ("2026-06-01", 30.0)]
ADDED = {"largest_purchase": 95.5, "purchases_last_120_days": 2}

COMPUTE = """
import json, sys
from datetime import date
from functions.churn_api.contract import FEATURE_NAMES
from functions.churn_api.order_history import Order, features_from_orders
orders = [Order(ordered_at=day, amount=amount, sku="tea") for day, amount in json.loads(sys.argv[1])]
features = features_from_orders(orders, date.fromisoformat(sys.argv[2]), int(sys.argv[3]))
print(json.dumps({name: None if value != value else value for name, value in zip(FEATURE_NAMES, features)}))
"""


@pytest.fixture
def project(tmp_path):
    """A copy of the project, as it is before anything is added."""
    copy = tmp_path / "project"
    for folder in ("flows", "functions", "dbt_project"):
        shutil.copytree(REPOSITORY / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__", "target"))
    return copy


def change(project, *diffs, to_other_files_than=None):
    for diff in diffs:
        if not to_other_files_than or to_other_files_than not in diff.splitlines()[0]:
            alone = os.environ | {"GIT_CEILING_DIRECTORIES": str(project.parent)}  # in no repository
            applied = subprocess.run(
                ["git", "apply", "-"], cwd=project, env=alone, input=diff, capture_output=True, text=True
            )
            assert applied.returncode == 0, f"docs/features.md no longer fits the code: {applied.stderr}\n{diff}"


def python(project, *arguments):
    return subprocess.run([sys.executable, *arguments], cwd=project, capture_output=True, text=True)


def by_python(project):
    return python(project, "-c", COMPUTE, json.dumps(ORDERS), str(AS_OF), str(HORIZON_DAYS))


def by_dbt(project):
    lines = [
        {"order_id": day, "customer_id": "C1", "sku": "tea", "ordered_at": day, "quantity": 1, "amount": amount,
         "currency": "EUR", "country": None, "channel": None}
        for day, amount in ORDERS
    ]  # fmt: skip
    database = staged(pa.Table.from_pylist(lines), project.parent / "warehouse")
    run_values = {"as_of_date": str(AS_OF), "horizon_days": HORIZON_DAYS}
    build(database, (*PURCHASES, "customer_features"), run_values, project=project / "dbt_project")
    with duckdb.connect(database) as con:
        (row,) = con.sql("from marts.customer_features").to_arrow_table().to_pylist()
    return row


def test_sql_and_python_compute_what_the_recipe_adds(project):
    change(project, *DIFFS)
    generated = python(project, "-m", "flows.adapters.dbt.generate")
    assert generated.returncode == 0, generated.stderr
    computed = by_python(project)
    assert computed.returncode == 0, computed.stderr
    in_python, in_sql = json.loads(computed.stdout), by_dbt(project)
    assert {name: in_python[name] for name in ADDED} == ADDED
    assert {name: in_sql[name] for name in in_python} == pytest.approx(in_python)


def test_a_feature_that_sql_does_not_compute_is_named_when_dbt_builds(project):
    change(project, *DIFFS, to_other_files_than="customer_features.sql")
    assert python(project, "-m", "flows.adapters.dbt.generate").returncode == 0
    with pytest.raises(RuntimeError, match=r"(?s)customer_features.*enforced contract.*largest_purchase"):
        by_dbt(project)


def test_a_feature_that_python_does_not_compute_is_named_when_a_history_is_read(project):
    change(project, *DIFFS, to_other_files_than="order_history.py")
    errors = by_python(project).stderr
    assert re.search(r"order_history\.py computes other features .*missing here: \['largest_purchase'\]", errors), (
        errors
    )


def test_a_feature_without_a_cause_is_named_when_the_contract_is_imported(project):
    change(project, *DIFFS)
    contract = project / "functions" / "churn_api" / "contract.py"
    known = '_money("Money spent on the largest purchase", 120.0)'
    contract.write_text(contract.read_text().replace(known, '"Money"'))
    assert "The feature largest_purchase in functions/churn_api/contract.py names no cause" in by_python(project).stderr


def test_a_cause_without_a_phrase_is_named_when_reasons_are_imported(project):
    contract = project / "functions" / "churn_api" / "contract.py"
    contract.write_text(contract.read_text().replace('"engagement"]\n', '"engagement", "complaints"]\n', 1))
    errors = python(project, "-c", "import functions.churn_api.reasons").stderr
    assert "reasons.py has no phrase for complaints" in errors
