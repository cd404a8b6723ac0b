"""A trained churn model, ready to score: the one path from features to predictions, in batch and in the API."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from functions.churn_api.contract import CAUSE_NAMES, FEATURE_NAMES, LIFECYCLES, Lifecycle
from functions.churn_api.reasons import describe_reasons, strongest_causes
from functions.predicted import NEXT_ORDER_COLUMNS, PREDICTED

# The inputs of a model's graph, both for n customers: [n, number of features] doubles, and the as-of date as day of the
# year, [n] integers from 1 to DAYS_OF_YEAR.
INPUTS = ("features", "day_of_year")
DAYS_OF_YEAR = 366
# The outputs of a model's graph, in this order: see flows/churn/onnx_export.py.
OUTPUTS = (
    "churn_probability", "contributions", "expected_spend", "next_order_days", "alive_probability", "lifecycle",
    "customer_value",
)  # fmt: skip
# Vector units may round the last digits differently in another batch: those of amounts are further to the left.
_DECIMALS_OF_PROBABILITIES = 9
_DECIMALS = {"expected_spend": 6, "customer_value": 6}
# the columns of the output customer_value
VALUES = ("clv", "clv_low", "clv_high", "expected_loss", "win_back_value")

_WIDTHS = {"next_order_days": [len(NEXT_ORDER_COLUMNS)], "customer_value": [len(VALUES)]}


@lru_cache(maxsize=1_000)
def day_of_year(day: date) -> int:
    """1 for January 1; the same as SQL's dayofyear."""
    return day.timetuple().tm_yday


class ModelRefused(Exception):
    """A model file that is missing, broken, or made for other features."""


@dataclass(frozen=True)
class Scores:
    """A model's predictions for n customers.

    churn_probability: P(no purchase in the horizon), [n]. contributions: the difference between a typical active
    customer's log-odds of churn and this one's, by cause, [n, causes].
    expected_spend: mean spend within the horizon, in the reporting currency, [n].
    next_order_days: days after the as-of date by which, rounded up, the next order comes with a chance of 10, 50
        and 90 %; NaN where that chance is not reached within two horizons. Last, those for half of the customers who
        order within the horizon, however few they are; [n, 4].
    alive_probability: P(still a customer), [n]. lifecycle: position in `contract.LIFECYCLES`, [n].
    customer_value: VALUES, [n, 5], in the reporting currency, for the next clv_days; NaN: not known.
    """

    features: NDArray[np.float64]
    clv_days: int
    churn_probability: NDArray[np.float64]
    contributions: NDArray[np.float64]
    expected_spend: NDArray[np.float64]
    next_order_days: NDArray[np.float64]
    alive_probability: NDArray[np.float64]
    lifecycle: NDArray[np.float64]
    customer_value: NDArray[np.float64]

    @cached_property
    def lifecycles(self) -> list[Lifecycle]:
        """Of each of the n customers."""
        named: list[Lifecycle] = _LIFECYCLES[self.lifecycle.astype(np.intp)].tolist()
        return named

    @cached_property
    def causes(self) -> NDArray[np.intp]:
        """Indexes in `contract.CAUSE_NAMES` of the three strongest causes, [n, 3]."""
        return strongest_causes(self.contributions)

    @cached_property
    def reasons(self) -> list[list[str]]:
        """The three strongest causes as texts: all customers' strongest, then the second, then the third; 3 × n."""
        return describe_reasons(self.features, self.contributions, self.causes)

    @property
    def flat(self) -> dict[str, Sequence[Any]]:
        """The fields of predicted.PREDICTED, with n values each; NaN where there is none."""
        values = (
            self.churn_probability, self.expected_spend, self.alive_probability, self.lifecycles,
            *self.customer_value.T, [self.clv_days] * len(self.features), *self.next_order_days.T, *self.reasons,
        )  # fmt: skip
        return dict(zip(PREDICTED, values, strict=True))

    @cached_property
    def effects(self) -> NDArray[np.float64]:
        """By how much each of the three causes changes the probability, [n, 3]."""
        p = np.minimum(np.maximum(self.churn_probability, 1e-9), 1 - 1e-9)
        of_causes = self.contributions[np.arange(len(p))[:, None], self.causes]
        # without a cause its contribution is missing from the log-odds
        without = 1 / (1 + ((1 - p) / p)[:, None] * np.exp(of_causes))
        return (self.churn_probability[:, None] - without).round(_DECIMALS_OF_PROBABILITIES)


@dataclass(frozen=True)
class Scorer:
    """Scores feature matrices with an ONNX model. Safe to share between threads."""

    session: onnxruntime.InferenceSession
    model_version: str
    horizon_days: int
    clv_days: int

    @classmethod
    def load(cls, model: Path | bytes) -> Self:
        """A scorer for the model in a file, or for a model's bytes.

        Raises:
            ModelRefused: when it cannot be read, or its features are not this contract's.
        """
        name = model if isinstance(model, Path) else "what was given"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        # the graph is written as it is to run: looking for something better would take half of the time of a load
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        # in its order, and without a store of memory of its own, values are still in the processor's cache when used
        options.execution_order = onnxruntime.ExecutionOrder.PRIORITY_BASED
        options.enable_cpu_mem_arena = False
        try:
            session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
            metadata = session.get_modelmeta().custom_metadata_map
            features, causes = tuple(json.loads(metadata["feature_names"])), tuple(json.loads(metadata["causes"]))
            scorer = cls(session, metadata["model_version"], int(metadata["horizon_days"]), int(metadata["clv_days"]))
        except Exception as error:  # onnxruntime has no exception of its own to name
            raise ModelRefused(f"{name} is not a churn model that can be loaded: {error}") from error
        inputs, outputs = session.get_inputs(), session.get_outputs()
        widths = {o.name: o.shape[1:] for o in outputs if o.name in _WIDTHS}
        if tuple(i.name for i in inputs) != INPUTS or tuple(o.name for o in outputs) != OUTPUTS or widths != _WIDTHS:
            raise ModelRefused(f"{name} was made by another version of this project. Train again.")
        if features != FEATURE_NAMES or causes != CAUSE_NAMES:
            missing = [feature for feature in features if feature not in FEATURE_NAMES]
            new = [feature for feature in FEATURE_NAMES if feature not in features]
            raise ModelRefused(
                f"{name} was trained on other features or causes than functions/churn_api/contract.py has"
                f" (only the model has: {missing}; only the contract has: {new}; the order counts too). Train again."
            )
        return scorer

    def score(self, features: NDArray[np.float64], days_of_year: NDArray[np.int64]) -> Scores:
        """The predictions for n customers, from features of shape [n, number of features] and the day of the year of
        each as-of date, [n]: see `day_of_year`.

        Columns in the contract's order; a missing value is NaN.
        """
        outputs = zip(OUTPUTS, self.run(features, days_of_year), strict=True)
        rounded = [output.round(_DECIMALS.get(name, _DECIMALS_OF_PROBABILITIES)) for name, output in outputs]
        return Scores(features, self.clv_days, *rounded)

    def run(self, features: NDArray[np.float64], days_of_year: NDArray[np.int64]) -> list[NDArray[np.float64]]:
        """The graph's outputs, in the order of OUTPUTS."""
        outputs: list[NDArray[np.float64]] = self.session.run(
            list(OUTPUTS), {"features": features, "day_of_year": days_of_year}
        )
        return outputs


_LIFECYCLES = np.array(LIFECYCLES, dtype=object)
