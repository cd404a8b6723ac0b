"""A trained model as an ONNX file that carries its preprocessing and its papers, checked against the original."""

import hashlib
import json
import warnings
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto, helper
from skl2onnx import convert_sklearn, update_registered_converter
from skl2onnx.algebra.onnx_ops import OnnxAdd, OnnxLog, OnnxMax
from skl2onnx.common.data_types import FloatTensorType
from sklearn.base import BaseEstimator

from flows.churn.candidates import Log1p, churn_probability
from flows.errors import ModelRefused
from functions.churn_api.contract import CONTRACT_FINGERPRINT, FEATURE_NAMES, CustomerFeatures

OPSET = {"": 21, "ai.onnx.ml": 3}
PARITY_TOLERANCE = 1e-5  # float32 in ONNX, float64 in scikit-learn


@dataclass(frozen=True)
class ExportedModel:
    """`parity` is the largest |P(scikit-learn) − P(ONNX)| that was seen."""

    model_version: str
    content: bytes
    parity: float


def export(
    model: BaseEstimator, real_rows: NDArray[np.float32], horizon_days: int, trained_as_of: date, origin: str = ""
) -> ExportedModel:
    """The model as ONNX, named after its training date, horizon and content.

    `origin` is put before the name. The same model always gets the same name.

    Raises:
        ModelRefused: when ONNX and scikit-learn disagree on real or edge rows.
    """
    with warnings.catch_warnings():
        # skl2onnx's own use of onnx names it has not moved away from yet
        warnings.simplefilter("ignore", DeprecationWarning)
        proto = convert_sklearn(
            model,
            initial_types=[("features", FloatTensorType([None, len(FEATURE_NAMES)]))],
            options={id(model): {"zipmap": False}},
            target_opset=OPSET,
        )
    proto.graph.name = "churn"
    digest = hashlib.sha256(proto.SerializeToString(deterministic=True)).hexdigest()[:8]
    version = f"{origin}{trained_as_of}-h{horizon_days}-{digest}"
    _attach_papers(proto, model_version=version, horizon_days=horizon_days, trained_as_of=str(trained_as_of))
    content = proto.SerializeToString(deterministic=True)
    return ExportedModel(version, content, _check_parity(model, content, real_rows))


def edge_rows() -> NDArray[np.float32]:
    """Customers at the borders of what is possible: nothing known, all zero, huge, bought once and today."""
    smallest = [1.0 if name == "frequency" else 0.0 for name in FEATURE_NAMES]
    unknown = [
        value if CustomerFeatures.model_fields[name].is_required() else np.nan
        for name, value in zip(FEATURE_NAMES, smallest, strict=True)
    ]
    return np.array([smallest, unknown, np.full(len(smallest), 1e9), np.full(len(smallest), np.nan)], dtype=np.float32)


def _check_parity(model: BaseEstimator, content: bytes, real_rows: NDArray[np.float32]) -> float:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    edges = edge_rows() if _accepts_missing(model) else np.nan_to_num(edge_rows(), nan=0.0)
    rows = np.concatenate([real_rows, edges])
    (probabilities,) = session.run(["probabilities"], {"features": rows})
    difference = np.abs(probabilities[:, 1] - churn_probability(model, rows))
    worst = int(np.argmax(difference))
    if not difference[worst] <= PARITY_TOLERANCE:
        values = dict(zip(FEATURE_NAMES, rows[worst].tolist(), strict=True))
        raise ModelRefused(
            f"ONNX and scikit-learn differ by {difference[worst]:.2g} (allowed: {PARITY_TOLERANCE}) on {values}."
        )
    return float(difference[worst])


def _accepts_missing(model: BaseEstimator) -> bool:
    return bool(model.__sklearn_tags__().input_tags.allow_nan)


def _attach_papers(proto: ModelProto, **papers: Any) -> None:
    papers |= {"feature_names": json.dumps(FEATURE_NAMES), "contract": CONTRACT_FINGERPRINT}
    helper.set_model_props(proto, {name: str(value) for name, value in sorted(papers.items())})


def _log1p_shape(operator: Any) -> None:
    operator.outputs[0].type = FloatTensorType([None, operator.inputs[0].type.shape[1]])


def _log1p_to_onnx(scope: Any, operator: Any, container: Any) -> None:
    opset = container.target_opset
    zero, one = np.array([0], dtype=np.float32), np.array([1], dtype=np.float32)
    at_least_zero = OnnxMax(operator.inputs[0], zero, op_version=opset)
    logarithm = OnnxLog(
        OnnxAdd(at_least_zero, one, op_version=opset), op_version=opset, output_names=operator.outputs[:1]
    )
    logarithm.add_to(scope, container)


update_registered_converter(Log1p, "ChurnLog1p", _log1p_shape, _log1p_to_onnx)
