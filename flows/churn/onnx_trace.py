"""Records a numpy computation as ONNX nodes: code that is written once for arrays becomes the graph that is served.

A `Traced` value stands in for an array of doubles. The functions of numpy and scipy that the model uses, applied to
it, add nodes to the graph instead of computing; any other function is refused by numpy with its name.

Where numpy has the customers along the first axis, the graph has them along the last one: ONNX Runtime goes through a
constant for each of a few columns then, not for each of a thousand customers, which takes half of the time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import numpy_helper
from scipy.special import expit

Array = NDArray[Any]

_SAME_IN_ONNX: dict[np.ufunc, str] = {
    np.add: "Add", np.subtract: "Sub", np.multiply: "Mul", np.true_divide: "Div", np.negative: "Neg",
    np.log: "Log", np.exp: "Exp", np.maximum: "Max", np.minimum: "Min", np.abs: "Abs",
    np.greater: "Greater", np.less_equal: "LessOrEqual", np.bitwise_and: "And", expit: "Sigmoid",
}  # fmt: skip


@dataclass(frozen=True)
class Graph:
    """What skl2onnx is building: its scope hands out names, its container takes nodes. A value that is used twice, such
    as the probability that spend depends on too, is in the graph once."""

    scope: Any
    container: Any
    known: dict[Any, Any] = field(default_factory=dict)

    def constant(self, value: Any) -> str:
        """The name of a constant: doubles, the same for all customers, unless it is an array of integers."""
        array = np.asarray(value)
        if array.dtype.kind not in "iu" or not isinstance(value, np.ndarray):
            array = array.astype(np.float64)
            array = array[..., None] if array.ndim else array
        return self.table(array)

    def table(self, array: Array) -> str:
        """The name of a constant as it is."""
        key = (array.dtype.kind, array.shape, array.tobytes())
        if key not in self.known:
            name = self.known[key] = self.scope.get_unique_variable_name("constant")
            onnx_type = numpy_helper.from_array(array).data_type
            self.container.add_initializer(name, onnx_type, list(array.shape), array.ravel().tolist())
        return str(self.known[key])

    def node(self, operator: str, *inputs: Any, more_axes: int = 0, **attributes: Any) -> "Traced":
        """A node over values and constants. `more_axes`: than the input with the most of them has."""
        names = [given.name if isinstance(given, Traced) else self.constant(given) for given in inputs]
        key = (operator, *names, *(f"{name}={value}" for name, value in sorted(attributes.items())))
        if key not in self.known:
            ndim = max(given.ndim for given in inputs if isinstance(given, Traced)) + more_axes
            self.known[key] = Traced(self, self.scope.get_unique_variable_name(operator.lower()), ndim)
            name = self.scope.get_unique_operator_name(operator)
            self.container.add_node(operator, names, self.known[key].name, name=name, **attributes)
        return self.known[key]  # type: ignore[no-any-return]


@dataclass(frozen=True, eq=False)
class Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """A value of the graph: [n], [n, k] or [n, k, l] to numpy, and [n], [k, n] or [k, l, n] in the graph."""

    graph: Graph
    name: str
    ndim: int

    def __array_ufunc__(self, function: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options:
            return NotImplemented
        if function in _SAME_IN_ONNX:
            return self.graph.node(_SAME_IN_ONNX[function], *inputs)
        if function is np.matmul:  # by a vector; ONNX Runtime's MatMul fails on an empty batch
            return (inputs[0] * inputs[1]).sum(axis=1)
        if function is np.log1p:
            return np.log(1 + inputs[0])
        if function is np.logaddexp:
            a, b = inputs
            return np.maximum(a, b) + np.log(1 + np.exp(-np.abs(a - b)))
        return NotImplemented

    def __array_function__(self, function: Any, types: Any, args: Sequence[Any], options: dict[str, Any]) -> Any:
        if function in _REWRITTEN and not options:
            return _REWRITTEN[function](self.graph, *args)
        return NotImplemented

    def __getitem__(self, where: tuple[slice, int]) -> "Traced":
        rows, position = where
        if rows != slice(None):
            raise NotImplementedError("only whole columns can be taken from a traced value")
        return self.graph.node("Gather", self, np.array(position, dtype=np.int64), more_axes=-1, axis=0)

    def sum(self, axis: int) -> "Traced":
        return self.graph.node("ReduceSum", self, _axes(axis), more_axes=-1, keepdims=0)

    def transposed(self) -> "Traced":
        """[n, k] in the graph, as its inputs and outputs are; or back."""
        return self.graph.node("Transpose", self, perm=[1, 0])


def _axes(*axes: int) -> Array:
    """Where the graph has these axes of numpy, none of which is the customers'."""
    return np.array(axes, dtype=np.int64) - 1


def _column_stack(graph: Graph, columns: Sequence[Traced]) -> Traced:
    return graph.node("Concat", *(_expand_dims(graph, column, (1,)) for column in columns), axis=0)


def _expand_dims(graph: Graph, value: Traced, axes: Sequence[int]) -> Traced:
    return graph.node("Unsqueeze", value, _axes(*axes), more_axes=len(axes))


def _where(graph: Graph, condition: Any, yes: Any, no: Any) -> Any:
    if isinstance(condition, Traced):
        return graph.node("Where", condition, yes, no)
    return yes if condition else no


_REWRITTEN: dict[Any, Callable[..., Traced]] = {
    np.column_stack: _column_stack,
    np.where: _where,
    np.expand_dims: _expand_dims,
    np.clip: lambda _, value, low, high: np.minimum(np.maximum(value, low), high),
    np.take_along_axis: lambda graph, table, at, _: graph.node("Gather", Traced(graph, graph.table(table), 1), at),
    np.zeros_like: lambda _, value: value * 0,
}
