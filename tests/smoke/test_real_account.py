"""`make smoke-snowflake`: against an account of yours, once `terraform apply` is through. Skips without credentials.

It writes to the database that SNOWFLAKE_DATABASE names, which must be empty or from an earlier smoke test: a database
that holds another shop is refused.
"""

import json

import numpy as np
import pytest

from flows.adapters.snowflake.account import SnowflakeAccount
from flows.adapters.snowflake.udf import AVAILABLE_PACKAGES, TESTED, choose_packages
from flows.adapters.snowflake.warehouse import SnowflakeWarehouse
from flows.errors import WarehouseRefused
from flows.settings import SHIPPED_MODELS, SnowflakeSettings, read_settings
from functions.churn_api.contract import FEATURE_NAMES
from functions.churn_api.scorer import Scorer, day_of_year
from functions.clock import now
from tests.conftest import GIVEN_ACCOUNT
from tests.running.both_engines import differences, run_on_both
from tests.running.serving import EXAMPLE

pytestmark = pytest.mark.skipif(
    not {"SNOWFLAKE_ACCOUNT", "SNOWFLAKE_BLOCK"} & set(GIVEN_ACCOUNT),
    reason="no account: set SNOWFLAKE_ACCOUNT, _USER, _PRIVATE_KEY_FILE, _ROLE, _WAREHOUSE and _DATABASE",
)


@pytest.fixture
def warehouse(tmp_path, monkeypatch):
    for name, value in GIVEN_ACCOUNT.items():
        monkeypatch.setenv(name, value)
    settings = read_settings(SnowflakeSettings)
    return SnowflakeWarehouse(SnowflakeAccount.read(settings), tmp_path, settings.scoring)


class RealAccount:
    """What the parity suite wants of a server. The model scores inside Snowflake: no API serves the one just made."""

    flow_settings = GIVEN_ACCOUNT | {"WAREHOUSE": "snowflake", "SNOWFLAKE_SCORING": "udf"}

    def steer(self, **_):
        pass


def test_the_service_user_signs_in_with_its_role_warehouse_and_database(warehouse):
    role, virtual_warehouse, database = warehouse.row("select current_role(), current_warehouse(), current_database()")
    account = warehouse.account
    expected = (account.role.upper(), account.warehouse.upper(), account.database.upper())
    assert (role, virtual_warehouse, database) == expected


def test_what_the_function_inside_snowflake_needs_is_there(warehouse):
    found = warehouse.read(AVAILABLE_PACKAGES).to_pylist()
    assert len(choose_packages((row["package_name"], row["version"]) for row in found)) == len(TESTED)


def test_a_run_says_the_same_as_on_the_laptop_value_by_value(tmp_path, run_pipeline, monkeypatch, warehouse):
    laptop, cloud = run_on_both(run_pipeline, tmp_path, RealAccount(), monkeypatch, customers=300, seed=3)
    assert differences(laptop, cloud) == []


def test_the_external_function_answers_as_the_model_does(warehouse):
    try:
        version = warehouse.scores_with("")
    except WarehouseRefused as problem:
        pytest.skip(str(problem))
    model = SHIPPED_MODELS / version / "model.onnx"
    if not model.exists():
        pytest.skip(f"the API serves {version}, which is not in model_artifacts/")
    scored = warehouse.row(
        f"select cast(marts.predict_churn(parse_json('{json.dumps(EXAMPLE)}')):churn_probability as double)"
    )
    scores = Scorer.load(model).score(
        np.array([[EXAMPLE[name] for name in FEATURE_NAMES]], dtype=float), np.array([day_of_year(now().date())])
    )
    assert scored == (pytest.approx(scores.churn_probability[0], abs=1e-6),)
