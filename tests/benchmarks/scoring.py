"""Scoring a million customers inside DuckDB on one thread, next to the scorer and bare onnxruntime."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from flows.adapters.duckdb.scoring import register_predict_churn
from flows.churn.btyd import BuyTillYouDie
from flows.churn.candidates import CANDIDATES
from flows.churn.churn_model import ChurnModel
from flows.churn.onnx_export import export
from flows.simulator.regimes import GIFT
from functions.churn_api.contract import FEATURE_NAMES
from functions.churn_api.scorer import Scorer
from tests.benchmarks.measured import Figure
from tests.examples.simulated_snapshots import simulated_snapshots

CUSTOMERS = 1_000_000


def measure(folder: Path) -> Iterator[Figure]:
    place = folder / "shop"
    place.mkdir()
    snapshots = simulated_snapshots(replace(GIFT, customers=3_000), place)
    matrix = np.resize(snapshots.features, (CUSTOMERS, len(FEATURE_NAMES)))
    for name, fit in CANDIDATES.items():
        model = ChurnModel.train(fit, snapshots, BuyTillYouDie.fit(snapshots.newest(1).features))
        scorer = Scorer.load(export(model, snapshots.features, date(2026, 6, 30)).content)
        yield from _measure(folder, name, scorer, matrix)


def _measure(folder: Path, name: str, scorer: Scorer, matrix: NDArray[np.float64]) -> Iterator[Figure]:
    start = time.perf_counter()
    for part in np.array_split(matrix, CUSTOMERS // 2048):
        scorer.session.run(["churn_probability"], {"features": part, "day_of_year": np.full(len(part), 180)})
    bare = time.perf_counter() - start
    start = time.perf_counter()
    for part in np.array_split(matrix, CUSTOMERS // 2048):
        scorer.score(part, np.full(len(part), 180)).reasons  # noqa: B018
    with_reasons = time.perf_counter() - start
    with duckdb.connect(folder / "scoring.duckdb", config={"threads": 1}) as con:
        register_predict_churn(con, scorer)
        columns = {name: matrix[:, position].astype(float) for position, name in enumerate(FEATURE_NAMES)}
        con.register("drawn", columns)
        con.execute("create or replace table customers as from drawn")
        start = time.perf_counter()
        everything = f"predict_churn({', '.join(FEATURE_NAMES)}, 180)"
        con.execute(f"create or replace table scored as select {everything} as prediction from customers")
        seconds = time.perf_counter() - start
        con.unregister("drawn")
    yield Figure(
        f"scoring a million customers with value, date and reasons in the warehouse, one thread: {name}",
        f"{CUSTOMERS / seconds:,.0f} rows/s",
        f"without the warehouse {CUSTOMERS / with_reasons:,.0f}, without the words {CUSTOMERS / bare:,.0f}",
        "≥ 50,000 rows/s",
        CUSTOMERS / seconds >= 50_000,
    )
