"""The analyst's page runs from top to bottom on a small shop, and compares what it says it compares."""

import importlib.util
import math
import subprocess
import sys

import pytest

from flows.churn.candidates import CANDIDATES
from flows.settings import REPOSITORY

pytestmark = [pytest.mark.whole_run, pytest.mark.release]
PAGE = REPOSITORY / "model_artifacts" / "exploration.py"


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory, run_pipeline):
    folder = tmp_path_factory.mktemp("explored")
    run_pipeline(folder, customers=600, seed=4)
    return folder


def test_the_page_compares_the_idea_with_what_the_pipeline_has(data_dir, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(data_dir))
    spec = importlib.util.spec_from_file_location("exploration", PAGE)
    page = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(page)
    _, values = page.app.run()
    assert set(values["comparison"]) == {"logistic RFMT", "logistic RFMT + the idea", *CANDIDATES}
    assert all(0.6 < quality["auc"] < 1 for quality in values["comparison"].values())
    assert math.isfinite(values["gain"])
    assert values["standard_error"] > 0


def test_the_page_is_what_marimo_would_write():
    check = [sys.executable, "-m", "marimo", "check", "--strict", str(PAGE)]
    checked = subprocess.run(check, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
