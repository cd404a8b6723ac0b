"""The model inside Snowflake: the code of a vectorised Python UDF, as an alternative to the external function.

Snowflake puts this project's `functions`, as a zip file, and `model.onnx` where the UDF's IMPORTS name them, and calls
`predict_churn` with batches of rows. flows/adapters/snowflake/udf.py creates the UDF.
https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-batch
"""

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pandas

from functions.churn_api.scorer import Scorer, Scores


def predict_churn(rows: pandas.DataFrame) -> pandas.Series:
    """For each row, the fields that the external function returns too.

    `rows` has the contract's features, as doubles in the contract's order, then the as-of date's day of the year; NULL
    is NaN.
    """
    scorer, figures = _scorer(), rows.to_numpy(dtype="float64")
    scores = scorer.score(np.ascontiguousarray(figures[:, :-1]), figures[:, -1].astype(np.int64))
    return pandas.Series(_predictions(scores, scorer.model_version))


predict_churn._sf_vectorized_input = pandas.DataFrame  # type: ignore[attr-defined]


@cache
def _scorer() -> Scorer:
    return Scorer.load(Path(sys._xoptions["snowflake_import_directory"]) / "model.onnx")


def _predictions(scores: Scores, model_version: str) -> list[dict[str, object]]:
    columns = [np.asarray(values).tolist() for values in scores.flat.values()]
    without_nan = ([None if value != value else value for value in values] for values in columns)  # NaN: NULL
    names = (*scores.flat, "model_version")
    return [dict(zip(names, (*row, model_version), strict=True)) for row in zip(*without_nan, strict=True)]
