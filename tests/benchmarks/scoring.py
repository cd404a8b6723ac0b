"""Scoring a million customers inside DuckDB on one thread, beside bare onnxruntime on the same matrix."""

import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np

from flows.adapters.duckdb_scoring import register_predict_churn
from flows.adapters.model_store import ModelStore
from flows.settings import SHIPPED_MODELS
from functions.churn_api.contract import FEATURE_NAMES
from functions.churn_api.scorer import Scorer
from tests.benchmarks.measured import Figure

CUSTOMERS = 1_000_000


def measure(folder: Path) -> Iterator[Figure]:
    champion = ModelStore(SHIPPED_MODELS).champion()
    assert champion is not None
    scorer = Scorer.load(champion.folder / "model.onnx")
    matrix = np.random.default_rng(0).gamma(2, 30, (CUSTOMERS, len(FEATURE_NAMES))).astype(np.float32)
    start = time.perf_counter()
    for part in np.array_split(matrix, CUSTOMERS // 2048):
        scorer.churn_probability(part)
    bare = time.perf_counter() - start
    with duckdb.connect(folder / "scoring.duckdb", config={"threads": 1}) as con:
        register_predict_churn(con, scorer)
        columns = {name: matrix[:, position].astype(float) for position, name in enumerate(FEATURE_NAMES)}
        con.register("drawn", columns)
        con.execute("create table customers as from drawn")
        start = time.perf_counter()
        con.execute(f"create table scored as select predict_churn({', '.join(FEATURE_NAMES)}) as p from customers")
        seconds = time.perf_counter() - start
        con.unregister("drawn")
    yield Figure(
        "scoring a million customers in the warehouse, one thread",
        f"{CUSTOMERS / seconds:,.0f} rows/s",
        f"onnxruntime alone {CUSTOMERS / bare:,.0f} rows/s",
        "≥ 300,000 rows/s",
        CUSTOMERS / seconds >= 300_000,
    )
