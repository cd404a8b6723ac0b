"""`predict_churn` inside DuckDB: a vectorised function over the same `Scorer` that serves `/predict`.

dbt-duckdb loads this module as a plugin (see dbt_project/profiles.yml).
"""

import inspect
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.adapters.duckdb.plugins import BasePlugin

from flows.adapters.dbt.runner import read_run_values
from functions.churn_api.contract import FEATURE_NAMES
from functions.churn_api.scorer import Scorer, Scores
from functions.predicted import PREDICTED

_ARGUMENTS = (*FEATURE_NAMES, "day_of_year")


def register_predict_churn(con: duckdb.DuckDBPyConnection, scorer: Scorer) -> None:
    """Makes `predict_churn(<the contract's columns and the day of the year, as doubles>)` known to a connection; it
    returns a struct.

    Close the connection before the process ends: it keeps the function alive.
    """

    def predict_churn(*columns: pa.ChunkedArray) -> pa.Array:
        *of_features, days_of_year = columns
        features = np.empty((len(days_of_year), len(FEATURE_NAMES)))
        for position, column in enumerate(of_features):
            features[:, position] = column.to_numpy()  # NULL becomes NaN
        return _as_struct(scorer.score(features, days_of_year.to_numpy().astype(np.int64)))

    # DuckDB reads the number of arguments from the signature and refuses *columns
    by_position = inspect.Parameter.POSITIONAL_OR_KEYWORD
    predict_churn.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, by_position) for name in _ARGUMENTS]
    )
    con.create_function(
        "predict_churn",
        predict_churn,
        ["DOUBLE"] * len(_ARGUMENTS),
        duckdb.struct_type(dict(PREDICTED)),
        type="arrow",
        null_handling="special",
    )


def _as_struct(scores: Scores) -> pa.StructArray:
    types = {"double": pa.float64(), "varchar": pa.string(), "integer": pa.int32()}
    columns = [pa.array(values, types[PREDICTED[name]], from_pandas=True) for name, values in scores.flat.items()]
    return pa.StructArray.from_arrays(columns, names=list(PREDICTED))  # from_pandas: NaN is NULL


@contextmanager
def dbts_connection() -> Iterator[None]:
    """Closes dbt's connection at the end of the block, so that the flow can open the file, and register another model.

    dbt itself keeps it open from node to node: opening the file for each of them was a third of a build's time.
    """
    try:
        yield
    finally:
        if DuckDBConnectionManager._ENV is not None:  # None: dbt has not come so far
            DuckDBConnectionManager.env().close()


class Plugin(BasePlugin):  # type: ignore[misc]
    """Opens the file that WAREHOUSE_FILE names, and registers `predict_churn` with the model of the run value
    `model_folder`; without one, nothing is scored.

    Neither is in the profile, because dbt parses the whole project again where a profile's values change.
    """

    def update_connection_config(self, creds: Any, config: dict[str, Any]) -> None:  # noqa: ARG002
        creds.path = os.environ.get("WAREHOUSE_FILE", creds.path)

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        if folder := read_run_values().get("model_folder"):
            register_predict_churn(conn, Scorer.load(Path(folder) / "model.onnx"))
