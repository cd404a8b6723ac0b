"""Fixtures of unit tests: the shipped model, and an empty database."""

from collections.abc import Iterator

import duckdb
import pytest

from flows.settings import SHIPPED_MODELS
from functions.churn_api.champion import ModelFolder, load_champion
from functions.churn_api.scorer import ModelRefused


@pytest.fixture(scope="session")
def shipped_model() -> None:
    """For whatever asks the shipped model: where the contract has changed since, one test says so, and these wait."""
    try:
        load_champion([ModelFolder(str(SHIPPED_MODELS))])
    except ModelRefused:
        pytest.skip("the shipped model does not fit the contract: see test_the_shipped_model_fits_the_contract")


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        yield con
