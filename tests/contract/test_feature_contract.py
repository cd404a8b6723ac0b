"""The features are defined once, in functions/churn_api/contract.py; everything else is bound to it."""

import difflib
import json

import pytest
import yaml

from flows.adapters.dbt.generate import GENERATED
from flows.adapters.models.registry import ModelRegistry
from flows.adapters.privacy.identities import MAX_NAMES_OF_ONE_PERSON
from flows.settings import REPOSITORY, SHIPPED_MODELS
from functions.churn_api.contract import CONTRACT_FINGERPRINT, FEATURE_NAMES, RISK_BANDS
from functions.churn_api.scorer import ModelRefused

DBT = REPOSITORY / "dbt_project"


@pytest.mark.parametrize("file", GENERATED, ids=lambda file: file.name)
def test_dbt_documents_and_enforces_what_is_defined_in_python(file):
    committed, generated = (text.splitlines() for text in (file.read_text(encoding="utf-8"), GENERATED[file]()))
    differences = list(difflib.unified_diff(committed, generated, "committed", "by its definition", lineterm="", n=0))
    assert not differences, "\n".join([f"{file.name}: run `make generate`", *differences])


def test_the_shipped_model_fits_the_contract():
    """Where it does not, the unit tests that ask it are skipped."""
    try:
        champion = ModelRegistry(str(SHIPPED_MODELS), SHIPPED_MODELS).champion()
    except ModelRefused as refused:
        pytest.fail(f"run `make champion`: {refused}")
    assert champion is not None
    assert champion.card["features"] == list(FEATURE_NAMES), "run `make champion`"
    assert champion.card["contract"] == CONTRACT_FINGERPRINT
    assert champion.version.startswith("shipped-")


def test_only_the_champion_is_shipped():
    folders = [path.name for path in SHIPPED_MODELS.iterdir() if path.is_dir() and path.name != "__pycache__"]
    assert folders == [json.loads((SHIPPED_MODELS / "champion.json").read_text())["model_version"]]


def test_dbt_and_the_api_part_the_risk_bands_at_the_same_probabilities():
    variables = yaml.safe_load((DBT / "dbt_project.yml").read_text())["vars"]
    assert variables["risk_bands"] == {band: threshold for threshold, band in RISK_BANDS if threshold > 0}


def test_dbt_and_erasure_take_the_same_number_of_names_for_one_persons():
    variables = yaml.safe_load((DBT / "dbt_project.yml").read_text())["vars"]
    assert variables["max_names_of_one_person"] == MAX_NAMES_OF_ONE_PERSON
