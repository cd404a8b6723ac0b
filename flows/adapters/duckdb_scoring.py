"""`predict_churn` inside DuckDB: a vectorised function over the same `Scorer` that answers `/predict`.

dbt-duckdb loads this module as a plugin (see dbt_project/profiles.yml).
"""

import inspect
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from dbt.adapters.duckdb.plugins import BasePlugin

from functions.churn_api.contract import FEATURE_NAMES
from functions.churn_api.scorer import Scorer


def register_predict_churn(con: duckdb.DuckDBPyConnection, scorer: Scorer) -> None:
    """Makes `predict_churn(<the contract's columns, as doubles>)` known to a connection.

    Close the connection before the process ends: it keeps the function alive.
    """

    def predict_churn(*columns: pa.ChunkedArray) -> pa.Array:
        features = np.empty((len(columns[0]), len(FEATURE_NAMES)), dtype=np.float32)
        for position, column in enumerate(columns):
            features[:, position] = column.to_numpy()  # NULL becomes NaN
        return pa.array(scorer.churn_probability(features), type=pa.float64())

    # DuckDB reads the number of arguments from the signature and refuses *columns
    by_position = inspect.Parameter.POSITIONAL_OR_KEYWORD
    predict_churn.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, by_position) for name in FEATURE_NAMES]
    )
    con.create_function(
        "predict_churn",
        predict_churn,
        ["DOUBLE"] * len(FEATURE_NAMES),
        "DOUBLE",
        type="arrow",
        null_handling="special",
    )


class Plugin(BasePlugin):  # type: ignore[misc]
    """Registers `predict_churn` with the model of the configured folder; without one, there is no scoring."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        folder = plugin_config.get("model_folder")
        self.model_file = Path(folder) / "model.onnx" if folder else None

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        if self.model_file:
            register_predict_churn(conn, Scorer.load(self.model_file))
