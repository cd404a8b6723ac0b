import pytest

from flows.adapters.models.registry import ModelRegistry
from flows.settings import SHIPPED_MODELS
from functions.churn_api.contract import FEATURE_NAMES
from functions.churn_api.scorer import ModelRefused, Scorer


def test_a_file_that_is_no_model_is_refused_by_name(tmp_path):
    file = tmp_path / "model.onnx"
    file.write_bytes(b"not a model")
    with pytest.raises(ModelRefused, match=r"model\.onnx is not a churn model"):
        Scorer.load(file)
    with pytest.raises(ModelRefused, match="missing"):
        Scorer.load(tmp_path / "missing.onnx")


def test_a_model_for_other_features_is_refused_with_the_difference(shipped_model, monkeypatch):
    champion = ModelRegistry(str(SHIPPED_MODELS), SHIPPED_MODELS).champion()
    monkeypatch.setattr("functions.churn_api.scorer.FEATURE_NAMES", (*FEATURE_NAMES[1:], "shoe_size"))
    with pytest.raises(ModelRefused, match=r"only the model has: \['recency_days'\].*\['shoe_size'\]"):
        Scorer.load(champion.content)
