import json
from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import onnx
import onnxruntime
import pytest

from flows.churn.btyd import BuyTillYouDie
from flows.churn.candidates import CANDIDATES, TREES
from flows.churn.churn_model import ChurnModel
from flows.churn.onnx_export import PARITY_TOLERANCE, edge_rows, export, rows_next_to_splits
from flows.churn.risk import LinearRisk
from flows.churn.season import Season
from flows.errors import ModelRefused
from functions.churn_api.contract import FEATURE_NAMES
from functions.churn_api.scorer import DAYS_OF_YEAR, OUTPUTS, Scorer
from tests.examples.snapshots import made_up_snapshots

DATA = made_up_snapshots([date(2025, 1, 1), date(2025, 2, 1)], 700, curved=True)
AS_OF = date(2025, 5, 1)
SEASON = Season.between({60: (-0.4, 0.2, 0.1), 200: (0.1, 0.0, -0.3), 330: (-0.9, 0.5, 0.2)})


@cache
def train(candidate):
    model = ChurnModel.train(CANDIDATES[candidate], DATA, BuyTillYouDie.fit(DATA.newest(1).features))
    return replace(model, season=SEASON)


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_onnx_says_what_the_model_says_on_real_rows_edge_rows_and_rows_next_to_splits(candidate):
    model = train(candidate)
    scorer = Scorer.load(export(model, DATA.features, AS_OF).content)
    neighbours = rows_next_to_splits(model, DATA.features)
    assert len(neighbours) > 300 or candidate != TREES
    for rows in (DATA.features, edge_rows(), neighbours, DATA.features[:0]):
        days_of_year = 1 + np.arange(len(rows)) % DAYS_OF_YEAR
        for output, served in zip(OUTPUTS, scorer.run(rows, days_of_year), strict=True):
            trained = getattr(model.as_of(days_of_year), output)(rows)
            assert np.allclose(served, trained, rtol=1e-9, atol=PARITY_TOLERANCE, equal_nan=True), output


def test_rows_next_to_splits_fall_on_both_sides_of_every_split():
    model = train(TREES)
    neighbours = rows_next_to_splits(model, DATA.features).reshape(-1, 3, len(FEATURE_NAMES))
    below, on, above = (neighbours[:, i] for i in range(3))
    moved = (below < on) & (on < above)
    assert moved.any(axis=1).all()
    assert (np.nextafter(below[moved], np.inf) == on[moved]).all()


def test_single_precision_would_be_refused():
    """The check has teeth: features rounded to float32 fall on the other side of some split."""
    model = train(TREES)
    neighbours = rows_next_to_splits(model, DATA.features)
    rounded = neighbours.astype(np.float32).astype(np.float64)
    assert np.abs(model.churn_probability(rounded) - model.churn_probability(neighbours)).max() > 1e-3


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_the_same_training_gives_the_same_model_to_the_byte(candidate):
    first, second = (export(train.__wrapped__(candidate), DATA.features, AS_OF) for _ in range(2))
    assert first == second


def test_a_model_carries_its_papers():
    exported = export(train(TREES), DATA.features, AS_OF, origin="shipped-")
    metadata = onnxruntime.InferenceSession(exported.content).get_modelmeta().custom_metadata_map
    assert tuple(json.loads(metadata["feature_names"])) == FEATURE_NAMES
    assert metadata["horizon_days"] == "60"
    assert metadata["model_version"] == exported.model_version
    assert exported.model_version.startswith("shipped-2025-05-01-h60-")


def test_a_model_that_onnx_gets_wrong_is_refused_with_the_row(monkeypatch):
    model = train(next(iter(CANDIDATES)))
    served = export(model, DATA.features, AS_OF).content
    load = Scorer.load
    monkeypatch.setattr("flows.churn.onnx_export.Scorer.load", lambda _: load(served))
    assert isinstance(model.risk, LinearRisk)
    other = replace(model, risk=replace(model.risk, intercept=model.risk.intercept + 1e-7))
    with pytest.raises(ModelRefused, match=r"churn_probability by more than 1e-09.*recency_days"):
        export(other, DATA.features, AS_OF)


def test_what_is_used_twice_is_in_the_graph_once():
    graph = onnx.load_from_string(export(train(TREES), DATA.features, AS_OF).content).graph
    operators = [node.op_type for node in graph.node]
    # the probability with and without its season
    assert (operators.count("TreeEnsemble"), operators.count("Sigmoid")) == (1, 2)


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_the_shape_of_every_value_is_known_but_for_the_number_of_customers(candidate):
    """What is not known is looked for at each load, which takes four times as long then."""
    graph = onnx.load_from_string(export(train(candidate), DATA.features, AS_OF).content).graph
    shapes = {value.name: value.type.tensor_type.shape.dim for value in (*graph.value_info, *graph.output)}
    assert {name for node in graph.node for name in node.output} == set(shapes)
    for name, dimensions in shapes.items():
        unknown = [dimension.dim_param for dimension in dimensions if not dimension.dim_value]
        assert unknown == ["customers"] * len(unknown), f"{name} of {unknown}"


def test_customers_that_only_the_process_has_given_up_are_scored_alike():
    """Many orders, then a long silence: where the waiting time is a small difference of large numbers."""
    model = train(next(iter(CANDIDATES)))
    rng = np.random.default_rng(0)
    rows = np.resize(DATA.features, (5_000, len(FEATURE_NAMES))).copy()
    silence, orders = rng.integers(30, 500, 5_000), rng.integers(5, 40, 5_000)
    for name, values in {
        "recency_days": silence, "frequency": orders, "tenure_days": silence + orders * 9,
    }.items():  # fmt: skip
        rows[:, FEATURE_NAMES.index(name)] = values
    quick_to_give_up = BuyTillYouDie(r=0.8, alpha=20.0, a=0.5, b=3.0, s=0.5, beta=200.0, trend=-0.0003)
    for intercept in (-6.0, -4.0, -1.0):
        assert isinstance(model.risk, LinearRisk)
        risk = replace(model.risk, intercept=intercept, process=quick_to_give_up, process_weight=0.1)
        hopeful = replace(model, risk=risk, process=quick_to_give_up)
        assert export(hopeful, rows, AS_OF).parity <= PARITY_TOLERANCE
