"""A trained churn model, ready to score: the one path from features to probability, in batch and in the API."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from functions.churn_api.contract import FEATURE_NAMES


class ModelRefused(Exception):
    """A model file that is missing, broken, or made for other features."""


@dataclass(frozen=True)
class Scorer:
    """Scores feature matrices with an ONNX model. Safe to share between threads."""

    session: onnxruntime.InferenceSession
    model_version: str
    horizon_days: int

    @classmethod
    def load(cls, model_file: Path) -> Self:
        """A scorer for the model in a file.

        Raises:
            ModelRefused: when the file cannot be read, or its features are not this contract's.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(model_file, options, providers=["CPUExecutionProvider"])
            metadata = session.get_modelmeta().custom_metadata_map
            names = tuple(json.loads(metadata["feature_names"]))
            scorer = cls(session, metadata["model_version"], int(metadata["horizon_days"]))
        except Exception as error:  # onnxruntime has no exception of its own to name
            raise ModelRefused(f"{model_file} is not a churn model that can be loaded: {error}") from error
        if names != FEATURE_NAMES:
            missing = [name for name in names if name not in FEATURE_NAMES]
            new = [name for name in FEATURE_NAMES if name not in names]
            raise ModelRefused(
                f"{model_file} was trained on other features than functions/churn_api/contract.py names"
                f" (only the model has: {missing}; only the contract has: {new}; the order counts too). Train again."
            )
        return scorer

    def churn_probability(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """P(no purchase in the horizon), shape [n], of n customers' features, shape [n, number of features].

        Columns in the contract's order; a missing value is NaN.
        """
        (probabilities,) = self.session.run(["probabilities"], {"features": features})
        return np.asarray(probabilities[:, 1], dtype=np.float32)
