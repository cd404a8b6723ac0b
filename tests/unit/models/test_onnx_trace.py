import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from scipy.special import expit

from flows.churn.onnx_trace import Graph, Traced


class Names:
    def __init__(self):
        self.count = 0

    def get_unique_variable_name(self, seed):
        self.count += 1
        return f"{seed}{self.count}"

    get_unique_operator_name = get_unique_variable_name


class Nodes:
    def __init__(self):
        self.nodes, self.constants = [], []

    def add_initializer(self, name, onnx_type, shape, content):
        self.constants.append(helper.make_tensor(name, onnx_type, shape, content))

    def add_node(self, operator, inputs, output, name=None, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [output], name=name, **attributes))


def run(function, values):
    container = Nodes()
    result = function(Traced(Graph(Names(), container), "x", 2).transposed())
    shape, double = [None, values.shape[1]], TensorProto.DOUBLE
    graph = helper.make_graph(
        container.nodes, "traced", [helper.make_tensor_value_info("x", double, shape)],
        [helper.make_tensor_value_info(result.name, double, None)], container.constants,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": values})[0]


FUNCTIONS = {
    "arithmetic": lambda x: (x[:, 0] + 2) * -x[:, 1] / (1 + x[:, 2] * x[:, 2]) - 0.5,
    "logarithms": lambda x: (
        np.log1p(np.maximum(x[:, 0], 0)) + np.logaddexp(x[:, 1], x[:, 2]) + np.exp(-np.abs(x[:, 0]))
    ),
    "choices": lambda x: np.where((x[:, 0] > 0) & (x[:, 1] <= 1), np.minimum(x[:, 2], 5), np.clip(x[:, 2], -1, 1)),
    "matrices": lambda x: expit(
        np.column_stack([x[:, 2], np.zeros_like(x[:, 1]), x[:, 0]]) @ np.array([1.0, 2.0, -3.0])
    ),
    "axes": lambda x: (
        (np.expand_dims(x, (1,)) * np.reshape([1.0, 2.0], (-1, *[1] * (x.ndim - 1)))).sum(axis=2)
        @ np.array([1.0] * x[:, 0].ndim + [3.0])
    ),
    "sums": lambda x: (x * 2.0 - np.array([1.0, 2.0, 3.0])).sum(axis=1),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@given(rows=st.lists(st.lists(st.floats(-50, 50), min_size=3, max_size=3), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_the_graph_computes_what_numpy_computes(name, rows):
    values = np.array(rows)
    assert run(FUNCTIONS[name], values) == pytest.approx(FUNCTIONS[name](values), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("function", [np.sin, np.sort, np.median], ids=lambda f: f.__name__)
def test_a_function_that_cannot_be_served_is_refused(function):
    with pytest.raises(TypeError, match=function.__name__):
        function(Traced(Graph(Names(), Nodes()), "x", 2))
