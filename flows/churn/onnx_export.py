"""A trained model as an ONNX file that carries its metadata, checked against the original.

skl2onnx converts scikit-learn's estimators in single precision, in which a customer very close to a split may fall on
its other side. `ChurnModel` is registered with it under a converter of its own: the model's own functions, traced in
double precision, with the boosted trees as one TreeEnsemble that has an output for each cause."""

import hashlib
import json
import warnings
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, cast

import numpy as np
from onnx import ModelProto, helper, numpy_helper, shape_inference
from skl2onnx import convert_sklearn, update_registered_converter
from skl2onnx.common.data_types import DoubleTensorType, Int64TensorType

from flows.churn.btyd import Floats
from flows.churn.churn_model import ChurnModel
from flows.churn.onnx_trace import Graph, Traced
from flows.churn.risk import AdditiveTrees, CauseTrees, cause_of_tree
from flows.errors import ModelRefused
from functions.churn_api.contract import CAUSE_NAMES, CONTRACT_FINGERPRINT, FEATURE_NAMES, FEATURES
from functions.churn_api.scorer import DAYS_OF_YEAR, INPUTS, OUTPUTS, VALUES, Scorer
from functions.predicted import NEXT_ORDER_COLUMNS

OPSET = {"": 21, "ai.onnx.ml": 3}
# TreeEnsemble on doubles; newer than skl2onnx supports, so it is set on the finished model
ML_OPSET_OF_TREES = 5
# of the outputs with several columns
_WIDTHS = {
    "contributions": len(CAUSE_NAMES), "next_order_days": len(NEXT_ORDER_COLUMNS), "customer_value": len(VALUES),
}  # fmt: skip
PARITY_TOLERANCE = 1e-9
SPLITS_CHECKED = 2_000


@dataclass(frozen=True)
class ExportedModel:
    """`parity` is the maximum |P(model) − P(ONNX)| over all checked rows."""

    model_version: str
    content: bytes
    parity: float


def export(model: ChurnModel, real_rows: Floats, trained_as_of: date, origin: str = "") -> ExportedModel:
    """The model as ONNX, named after its training date, horizon and content.

    `origin` is a prefix of the name. The same model always gets the same name.

    Raises:
        ModelRefused: when ONNX and the model disagree on real rows, edge rows or rows next to a split.
    """
    input_types = DoubleTensorType([None, len(FEATURE_NAMES)]), Int64TensorType([None])
    with warnings.catch_warnings():
        # skl2onnx itself uses deprecated names of onnx
        warnings.simplefilter("ignore", DeprecationWarning)
        proto = convert_sklearn(
            model,
            initial_types=list(zip(INPUTS, input_types, strict=True)),
            target_opset=OPSET,
        )
    for opset in proto.opset_import:
        opset.version = ML_OPSET_OF_TREES if opset.domain == "ai.onnx.ml" else opset.version
    proto.graph.name = "churn"
    # known to be as long, all values have their shapes: otherwise most of the time of each load is spent on that
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "customers"
    proto = shape_inference.infer_shapes(proto)
    digest = hashlib.sha256(proto.SerializeToString(deterministic=True)).hexdigest()[:8]
    version = f"{origin}{trained_as_of}-h{model.horizon_days}-{digest}"
    _attach_metadata(
        proto,
        model_version=version,
        horizon_days=model.horizon_days,
        clv_days=model.value.clv_days,
        trained_as_of=str(trained_as_of),
    )
    content = proto.SerializeToString(deterministic=True)
    return ExportedModel(version, content, _check_parity(model, content, real_rows))


def edge_rows() -> Floats:
    """Edge cases of customers: all missing, all zero, huge, one purchase today."""
    smallest = [1.0 if name == "frequency" else 0.0 for name in FEATURE_NAMES]
    unknown = [
        value if feature.is_required else np.nan for feature, value in zip(FEATURES.values(), smallest, strict=True)
    ]
    return np.array([smallest, unknown, np.full(len(smallest), 1e9), np.full(len(smallest), 1e-9)])


def rows_next_to_splits(model: ChurnModel, real_rows: Floats) -> Floats:
    """Real rows, each moved onto a split of the trees, or to the double just below or above it."""
    if not isinstance(model.risk, AdditiveTrees):
        return real_rows[:0]
    splits = sorted(
        {
            (int(node["feature_idx"]), float(node["num_threshold"]))
            for (tree,) in model.risk.trees.fitted._predictors
            for node in tree.nodes
            if not node["is_leaf"]
        }
    )[:SPLITS_CHECKED]
    rows = np.repeat(np.resize(real_rows, (len(splits), real_rows.shape[1])), 3, axis=0)
    for position, (feature, threshold) in enumerate(splits):
        neighbours = [np.nextafter(threshold, -np.inf), threshold, np.nextafter(threshold, np.inf)]
        rows[3 * position : 3 * position + 3, feature] = neighbours
    return rows


def _check_parity(model: ChurnModel, content: bytes, real_rows: Floats) -> float:
    rows = np.concatenate([real_rows, edge_rows(), rows_next_to_splits(model, real_rows)])
    days_of_year = 1 + np.arange(len(rows)) % DAYS_OF_YEAR
    served = Scorer.load(content).run(rows, days_of_year)
    model = model.as_of(days_of_year)
    pairs = {name: (output, getattr(model, name)(rows)) for name, output in zip(OUTPUTS, served, strict=True)}
    for name, (in_onnx, in_model) in pairs.items():
        # a loss is a difference of amounts: it is as exact as the largest amount of its row
        size = np.nanmax(np.abs(in_model).reshape(len(rows), -1), axis=1, initial=1.0)
        off = np.isnan(in_onnx) != np.isnan(in_model)
        off |= np.abs(in_onnx - in_model) > PARITY_TOLERANCE * size.reshape(-1, *[1] * (in_model.ndim - 1))
        if off.any():
            row = int(np.argmax(off.reshape(len(rows), -1).any(axis=1)))
            values = dict(zip(FEATURE_NAMES, rows[row].tolist(), strict=True))
            raise ModelRefused(
                f"ONNX and the model differ in {name} by more than {PARITY_TOLERANCE}: {in_onnx[row]} and"
                f" {in_model[row]} on {values}."
            )
    return float(np.abs(np.subtract(*pairs["churn_probability"])).max())


def _attach_metadata(proto: ModelProto, **metadata: Any) -> None:
    metadata |= {
        "feature_names": json.dumps(FEATURE_NAMES),
        "causes": json.dumps(CAUSE_NAMES),
        "contract": CONTRACT_FINGERPRINT,
    }
    helper.set_model_props(proto, {name: str(value) for name, value in sorted(metadata.items())})


@dataclass(frozen=True)
class _TracedTrees:
    """`CauseTrees` as a node of the graph."""

    trees: CauseTrees
    graph: Graph

    @property
    def baseline(self) -> float:
        return self.trees.baseline

    def sums(self, features: Traced) -> Traced:
        nodes: dict[str, list[Any]] = {
            name: [] for name in ("feature", "split", "yes", "yes_leaf", "no", "no_leaf", "missing")
        }
        weights: list[float] = []
        targets: list[int] = []
        roots: list[int] = []
        for (tree,) in self.trees.fitted._predictors:
            cause = cause_of_tree(tree.nodes)
            if cause is None:  # a tree without a split, which is zero in this library
                continue
            inner = [i for i, node in enumerate(tree.nodes) if not node["is_leaf"]]
            position = {i: len(nodes["feature"]) + k for k, i in enumerate(inner)}
            roots.append(position[0])
            for i in inner:
                node = tree.nodes[i]
                nodes["feature"].append(int(node["feature_idx"]))
                nodes["split"].append(float(node["num_threshold"]))
                nodes["missing"].append(int(node["missing_go_to_left"]))
                for side, child in (("yes", int(node["left"])), ("no", int(node["right"]))):
                    is_leaf = bool(tree.nodes[child]["is_leaf"])
                    nodes[f"{side}_leaf"].append(int(is_leaf))
                    nodes[side].append(len(weights) if is_leaf else position[child])
                    if is_leaf:
                        weights.append(float(tree.nodes[child]["value"].item()))
                        targets.append(cause)
        return self.graph.node(
            "TreeEnsemble", features.transposed(), op_domain="ai.onnx.ml", op_version=OPSET["ai.onnx.ml"],
            n_targets=len(CAUSE_NAMES), aggregate_function=1, post_transform=0, tree_roots=roots,
            nodes_featureids=nodes["feature"], nodes_splits=numpy_helper.from_array(np.array(nodes["split"])),
            nodes_modes=numpy_helper.from_array(np.zeros(len(nodes["feature"]), dtype=np.uint8)),  # all: value <= split
            nodes_truenodeids=nodes["yes"], nodes_trueleafs=nodes["yes_leaf"],
            nodes_falsenodeids=nodes["no"], nodes_falseleafs=nodes["no_leaf"],
            nodes_missing_value_tracks_true=nodes["missing"],
            leaf_targetids=targets, leaf_weights=numpy_helper.from_array(np.array(weights)),
        ).transposed()  # fmt: skip


def _convert(scope: Any, operator: Any, container: Any) -> None:
    graph = Graph(scope, container)
    features, days_of_year = (
        cast(Any, Traced(graph, given.full_name, ndim)) for given, ndim in zip(operator.inputs, (2, 1), strict=True)
    )
    model: ChurnModel = operator.raw_operator
    if isinstance(model.risk, AdditiveTrees):
        traced: Any = _TracedTrees(model.risk.trees, graph)
        model = replace(model, risk=replace(model.risk, trees=traced))
    model, features = model.as_of(days_of_year), features.transposed()
    outputs: list[Any] = [getattr(model, name)(features) for name in OUTPUTS]
    for name, traced_output, output in zip(OUTPUTS, outputs, operator.outputs, strict=True):
        traced_output = traced_output.transposed() if name in _WIDTHS else traced_output
        container.add_node("Identity", [traced_output.name], output.full_name, name=f"deliver_{output.full_name}")


def _outputs(scope: Any, model: ChurnModel, inputs: Any, custom_parsers: Any = None) -> Any:  # noqa: ARG001
    operator = scope.declare_local_operator("ChurnModel", model)
    operator.inputs = inputs
    for name in OUTPUTS:
        operator.outputs.append(scope.declare_local_variable(name, DoubleTensorType()))
    return operator.outputs


def _shapes(operator: Any) -> None:
    for name, output in zip(OUTPUTS, operator.outputs, strict=True):
        output.type = DoubleTensorType([None, _WIDTHS[name]] if name in _WIDTHS else [None])


update_registered_converter(ChurnModel, "ChurnModel", _shapes, _convert, parser=_outputs)
