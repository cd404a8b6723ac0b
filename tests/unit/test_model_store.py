import json
from datetime import date

import pytest

from flows.adapters.model_store import ModelStore
from flows.churn.candidates import CANDIDATES
from flows.churn.onnx_export import export
from flows.errors import ModelRefused
from tests.unit.snapshots import made_up_snapshots


@pytest.fixture(scope="module")
def exported():
    data = made_up_snapshots([date(2025, 1, 1)], 300)
    return export(CANDIDATES["recency alone"](data), data.features, 90, date(2025, 5, 1))


def save(store, exported):
    return store.save(exported.content, {"model_version": exported.model_version, "horizon_days": 90})


def test_nobody_is_champion_before_a_promotion(tmp_path, exported):
    store = ModelStore(tmp_path)
    assert store.champion() is None
    save(store, exported)
    assert store.champion() is None


def test_the_promoted_version_is_the_champion(tmp_path, exported):
    store = ModelStore(tmp_path)
    store.promote(save(store, exported).version)
    assert store.champion().version == exported.model_version


def test_a_stored_version_is_never_changed(tmp_path, exported):
    store = ModelStore(tmp_path)
    save(store, exported)
    store.save(b"something else", {"model_version": exported.model_version, "horizon_days": 7})
    assert store.load(exported.model_version).horizon_days == 90


def test_a_draft_left_by_a_killed_run_is_no_version(tmp_path, exported):
    (tmp_path / ".draft-x").mkdir()
    (tmp_path / ".draft-x" / "model.onnx").write_bytes(b"half")
    store = ModelStore(tmp_path)
    store.promote(save(store, exported).version)
    assert store.champion().version == exported.model_version


def test_a_broken_model_file_is_refused_and_cannot_be_promoted(tmp_path, exported):
    store = ModelStore(tmp_path)
    folder = save(store, exported).folder
    (folder / "model.onnx").write_bytes(exported.content[:100])
    with pytest.raises(ModelRefused, match="cannot be used"):
        store.promote(exported.model_version)


def test_a_pointer_to_a_missing_version_is_refused_by_name(tmp_path):
    (tmp_path / "champion.json").write_text(json.dumps({"model_version": "gone"}))
    with pytest.raises(ModelRefused, match="gone"):
        ModelStore(tmp_path).champion()
