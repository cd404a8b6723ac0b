"""Scoring inside Snowflake: the statement that makes the function, and its handler as Snowflake would call it."""

import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
import pandas
import pytest
import sqlglot

from flows.adapters.snowflake.udf import TESTED, choose_packages, create_function, write_code
from flows.errors import WarehouseRefused
from flows.settings import SHIPPED_MODELS
from functions import snowflake_udf
from functions.churn_api.contract import FEATURE_NAMES
from functions.churn_api.scorer import Scorer
from tests.running.serving import EXAMPLE

DAY = 200
MODEL = next(SHIPPED_MODELS.glob("shipped-*/model.onnx"))


@pytest.fixture
def as_in_snowflake(shipped_model, monkeypatch):
    """The folder of imports is there where Snowflake's Python says."""
    monkeypatch.setitem(sys._xoptions, "snowflake_import_directory", str(MODEL.parent))
    snowflake_udf._scorer.cache_clear()
    yield
    snowflake_udf._scorer.cache_clear()


def batch(rows):
    """Columns by position, as Snowflake hands them over; NULL is NaN."""
    draw = np.random.default_rng(1)
    values = np.tile(np.array([EXAMPLE[name] for name in FEATURE_NAMES], dtype=float), (rows, 1))
    values[:, 0] = draw.integers(0, 400, rows)
    values[rows // 2 :, [FEATURE_NAMES.index("mean_gap_days"), FEATURE_NAMES.index("recency_to_mean_gap")]] = np.nan
    return pandas.DataFrame(np.column_stack([values, np.full(rows, DAY)]))


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_the_handler_answers_as_the_scorer_does_for_batches_of_any_size(as_in_snowflake, rows):
    frame = batch(rows)
    answers = snowflake_udf.predict_churn(frame)
    expected = Scorer.load(MODEL).score(frame.to_numpy()[:, :-1].copy(), np.full(rows, DAY))
    assert len(answers) == rows
    assert [answer["churn_probability"] for answer in answers] == expected.churn_probability.tolist()
    assert [answer["reason_1"] for answer in answers] == expected.reasons[0]
    days = [np.nan if answer["next_order_days_90"] is None else answer["next_order_days_90"] for answer in answers]
    np.testing.assert_array_equal(days, expected.next_order_days[:, 2])
    assert {answer["model_version"] for answer in answers} == {MODEL.parent.name}


def test_the_handler_declares_that_it_takes_batches():
    assert snowflake_udf.predict_churn._sf_vectorized_input is pandas.DataFrame


def test_the_statement_takes_the_contracts_features_in_its_order():
    statement = create_function("@marts.models/m-1", ["numpy==2.2.6", "onnxruntime==1.20.1"])
    signature = statement.split("(", 1)[1].split(")", 1)[0]
    assert signature == ", ".join(f"{name} double" for name in (*FEATURE_NAMES, "day_of_year"))
    assert "imports = ('@marts.models/m-1/functions.zip', '@marts.models/m-1/model.onnx')" in statement
    assert "packages = ('numpy==2.2.6', 'onnxruntime==1.20.1')" in statement
    assert sqlglot.parse_one(statement, dialect="snowflake") is not None


AVAILABLE = [
    ("numpy", "1.26.4"), ("numpy", "2.2.6"), ("onnxruntime", "1.16.3"), ("onnxruntime", "1.18.1"),
    ("onnxruntime", "1.20.1"), ("pandas", "2.2.3"), ("pandas", "2.3.0rc1"),
]  # fmt: skip


def test_of_each_package_the_newest_version_that_was_tested_is_taken():
    pinned = ["numpy==2.2.6", "onnxruntime==1.20.1", "pandas==2.2.3"]
    assert choose_packages(AVAILABLE) == pinned


def test_without_a_runtime_that_reads_the_model_the_run_stops_with_what_is_there_and_what_to_do():
    old = [row for row in AVAILABLE if row[0] != "onnxruntime" or row[1] == "1.16.3"]
    with pytest.raises(WarehouseRefused, match=r"onnxruntime 1\.18 to .* 1\.16\.3\. .*SNOWFLAKE_SCORING=external"):
        choose_packages(old)
    with pytest.raises(WarehouseRefused, match=r"for Python 3\.11: none"):
        choose_packages([])


def test_the_versions_that_this_runs_with_are_among_the_tested_ones():
    for name, (oldest, newest) in TESTED.items():
        release = tuple(int(part) for part in version(name).split(".")[:2])
        assert oldest <= release <= newest, f"{name} {release}: run the handler with it, and widen TESTED"


def test_the_oldest_tested_runtime_reads_the_models_format():
    header = onnx.load(MODEL, load_external_data=False)
    assert header.ir_version <= 10  # onnxruntime 1.18
    assert all(opset.version <= 21 for opset in header.opset_import if not opset.domain)


def test_the_zip_file_holds_all_that_the_handler_imports(tmp_path):
    code = write_code(tmp_path)
    program = "import functions.snowflake_udf as udf; print(udf.__file__)"
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env={"PYTHONPATH": str(code)}, capture_output=True, text=True
    )
    assert result.stdout.startswith(str(code)), result.stderr
    assert all(Path(name).suffix == ".py" for name in zipfile.ZipFile(code).namelist())
