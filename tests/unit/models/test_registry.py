"""One suite for a folder and for S3 (moto's server on this machine stands in for AWS's)."""

import json
from datetime import date

import pytest
from pyarrow import fs

from flows.adapters.files.store import FileStore
from flows.adapters.models.registry import ModelRegistry
from flows.churn.btyd import BuyTillYouDie
from flows.churn.candidates import AVERAGED, CANDIDATES
from flows.churn.churn_model import ChurnModel
from flows.churn.onnx_export import export
from flows.errors import ModelRefused
from tests.examples.snapshots import made_up_snapshots


@pytest.fixture(scope="module")
def models():
    """Three models, as (content, card)."""
    made = []
    for seed in range(3):
        data = made_up_snapshots([date(2025, 1, 1)], 300, seed=seed)
        model = ChurnModel.train(CANDIDATES[AVERAGED], data, BuyTillYouDie.fit(data.features))
        exported = export(model, data.features, date(2025, 5, 1))
        made.append((exported.content, {"model_version": exported.model_version, "horizon_days": 60}))
    return made


@pytest.fixture(params=["folder", "s3"])
def registry(request, tmp_path):
    if request.param == "folder":
        return ModelRegistry(str(tmp_path / "models"), tmp_path / "cache")
    server = request.getfixturevalue("aws_server").removeprefix("http://")
    options = f"endpoint_override={server}&scheme=http&region=us-east-1&allow_bucket_creation=true"
    bucket = f"models-{abs(hash(tmp_path))}"
    files, _ = fs.FileSystem.from_uri(f"s3://{bucket}?{options}")
    files.create_dir(bucket)
    return ModelRegistry(f"s3://{bucket}/churn?{options}", tmp_path / "cache")


def save(registry, model):
    return registry.save(*model, "<html>report</html>").version


def test_nobody_is_champion_before_a_promotion(registry, models):
    assert registry.champion() is None
    save(registry, models[0])
    assert registry.champion() is None


def test_the_promoted_version_is_the_champion(registry, models):
    registry.promote(save(registry, models[0]))
    assert registry.champion().card == models[0][1]
    assert registry.champion().content == models[0][0]


def test_a_stored_version_is_never_changed(registry, models):
    version = save(registry, models[0])
    registry.save(b"something else", {"model_version": version, "horizon_days": 7}, "")
    assert registry.load(version).horizon_days == 60
    assert registry.versions() == [version]


def test_a_rollback_returns_to_the_champion_before(registry, models):
    first, second, third = (save(registry, model) for model in models)
    for version in (first, second, third):
        registry.promote(version)
    assert registry.roll_back() == second
    assert registry.champion().version == second
    assert registry.alias().rejected == (third,)
    assert registry.roll_back() == first
    with pytest.raises(ModelRefused, match="no earlier champion"):
        registry.roll_back()


def test_promoting_by_hand_forgives_a_rollback(registry, models):
    first, second = (save(registry, model) for model in models[:2])
    registry.promote(first)
    registry.promote(second)
    registry.roll_back()
    registry.promote(second)
    assert registry.champion().version == second
    assert registry.alias().rejected == ()
    assert registry.alias().previous == (first,)


def test_a_folder_without_a_card_is_no_version(registry, models):
    """The card is written last: a killed run leaves a model without one, and the next run finishes it."""
    FileStore(registry.location).write(f"{models[0][1]['model_version']}/model.onnx", b"half")
    assert registry.versions() == []
    registry.promote(save(registry, models[0]))
    assert registry.champion().content == models[0][0]


def test_a_broken_model_file_is_refused_and_cannot_be_promoted(registry, models):
    version = save(registry, models[0])
    FileStore(registry.location).write(f"{version}/model.onnx", models[0][0][:100])
    with pytest.raises(ModelRefused, match="cannot be used"):
        registry.promote(version)
    assert registry.champion() is None


def test_an_alias_of_a_missing_version_is_refused_by_name(registry):
    FileStore(registry.location).write("champion.json", json.dumps({"model_version": "gone"}).encode())
    with pytest.raises(ModelRefused, match="gone"):
        registry.champion()


def test_the_files_of_a_version_are_brought_to_this_machine(registry, models):
    folder = registry.local_folder(save(registry, models[0]))
    assert (folder / "model.onnx").read_bytes() == models[0][0]
    assert json.loads((folder / "model_card.json").read_text()) == models[0][1]
    assert (folder / "report.html").read_text() == "<html>report</html>"
