"""The model inside Snowflake: what a vectorised Python UDF runs, as an alternative to the external function.

Snowflake puts this project's `functions`, as a zip file, and `model.onnx` where the UDF's IMPORTS say, and calls
`predict_churn` with batches of rows. flows/adapters/snowflake/udf.py creates the UDF.
https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-batch
"""

import sys
from functools import cache
from pathlib import Path

import pandas

from functions.churn_api.scorer import Scorer, Scores


def predict_churn(rows: pandas.DataFrame) -> pandas.Series:
    """For each row, the fields that an answer of the external function has too.

    `rows` has the contract's features, as doubles in the contract's order; NULL is NaN.
    """
    scorer = _scorer()
    return pandas.Series(_answers(scorer.score(rows.to_numpy(dtype="float64")), scorer.model_version))


predict_churn._sf_vectorized_input = pandas.DataFrame  # type: ignore[attr-defined]


@cache
def _scorer() -> Scorer:
    return Scorer.load(Path(sys._xoptions["snowflake_import_directory"]) / "model.onnx")


def _answers(scores: Scores, model_version: str) -> list[dict[str, object]]:
    days = [[None if day != day else day for day in row] for row in scores.next_order_days.tolist()]  # NaN: NULL
    columns = zip(scores.churn_probability.tolist(), scores.expected_spend.tolist(), days, *scores.reasons, strict=True)
    return [
        {
            "churn_probability": probability,
            "expected_spend": spend,
            "next_order_days_10": next_order[0],
            "next_order_days_50": next_order[1],
            "next_order_days_90": next_order[2],
            "reason_1": first,
            "reason_2": second,
            "reason_3": third,
            "model_version": model_version,
        }
        for probability, spend, next_order, first, second, third in columns
    ]
