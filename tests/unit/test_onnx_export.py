import json
from datetime import date

import numpy as np
import onnxruntime
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from flows.churn.candidates import CANDIDATES, Log1p, churn_probability
from flows.churn.onnx_export import PARITY_TOLERANCE, edge_rows, export
from flows.errors import ModelRefused
from functions.churn_api.contract import FEATURE_NAMES
from functions.churn_api.scorer import Scorer
from tests.unit.snapshots import made_up_snapshots

DATA = made_up_snapshots([date(2025, 1, 1), date(2025, 2, 1)], 400)


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_onnx_says_what_scikit_learn_says_on_real_and_edge_rows(candidate, tmp_path):
    model = CANDIDATES[candidate](DATA)
    exported = export(model, DATA.features, 90, date(2025, 5, 1))
    file = tmp_path / "model.onnx"
    file.write_bytes(exported.content)
    rows = np.concatenate([DATA.features, np.nan_to_num(edge_rows())])
    difference = np.abs(Scorer.load(file).churn_probability(rows) - churn_probability(model, rows))
    assert difference.max() <= exported.parity + 1e-7 <= PARITY_TOLERANCE


def test_the_same_training_gives_the_same_model_to_the_byte():
    first, second = (
        export(CANDIDATES[name](DATA), DATA.features, 90, date(2025, 5, 1)) for name in [list(CANDIDATES)[-1]] * 2
    )
    assert first == second


def test_a_model_carries_its_papers():
    exported = export(CANDIDATES["recency alone"](DATA), DATA.features, 28, date(2025, 5, 1), origin="shipped-")
    papers = onnxruntime.InferenceSession(exported.content).get_modelmeta().custom_metadata_map
    assert tuple(json.loads(papers["feature_names"])) == FEATURE_NAMES
    assert papers["horizon_days"] == "28"
    assert papers["model_version"] == exported.model_version
    assert exported.model_version.startswith("shipped-2025-05-01-h28-")


def test_a_model_that_onnx_gets_wrong_is_refused_with_the_row(monkeypatch):
    class Doubled(Log1p):
        def transform(self, X):
            return 2 * super().transform(X)

    from skl2onnx import update_registered_converter

    from flows.churn import onnx_export

    update_registered_converter(Doubled, "Doubled", onnx_export._log1p_shape, onnx_export._log1p_to_onnx)
    features = np.nan_to_num(DATA.features)
    model = make_pipeline(Doubled(), LogisticRegression(max_iter=5000)).fit(features, DATA.churned)
    with pytest.raises(ModelRefused, match="recency_days"):
        export(model, features, 90, date(2025, 5, 1))
