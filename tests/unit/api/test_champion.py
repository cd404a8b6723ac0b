import json
import logging
import shutil

import pytest

from flows.settings import SHIPPED_MODELS
from functions.churn_api.champion import ModelFolder, load_champion
from functions.churn_api.scorer import ModelRefused

SHIPPED = json.loads((SHIPPED_MODELS / "champion.json").read_text())["model_version"]
pytestmark = pytest.mark.usefixtures("shipped_model")


@pytest.fixture
def folder(tmp_path):
    """Two versions, the second one champion; both are the shipped model, the file of the second is broken by tests."""
    shutil.copytree(SHIPPED_MODELS / SHIPPED, tmp_path / SHIPPED)
    shutil.copytree(SHIPPED_MODELS / SHIPPED, tmp_path / "newer")
    (tmp_path / "champion.json").write_text(json.dumps({"model_version": "newer", "previous": [SHIPPED]}))
    return tmp_path


def served(*folders):
    return load_champion([ModelFolder(str(folder)) for folder in folders])


def test_the_champion_is_served_with_its_card():
    model = served(SHIPPED_MODELS)
    assert (model.scorer.model_version, model.card["model_version"], model.refused) == (SHIPPED, SHIPPED, ())


@pytest.mark.parametrize(
    ("file", "content", "why"),
    [
        ("model.onnx", b"", "not a churn model"),
        ("model.onnx", None, "No such file"),
        ("model_card.json", b"{", "Expecting"),
        ("model_card.json", None, "No such file"),
        ("model.onnx", (SHIPPED_MODELS / SHIPPED / "model.onnx").read_bytes()[:5000], "not a churn model"),
        ("model.onnx", (SHIPPED_MODELS / SHIPPED / "model.onnx").read_bytes(), f"is the model {SHIPPED}"),
    ],
)
def test_a_broken_champion_is_refused_and_the_last_good_one_kept(folder, caplog, file, content, why):
    if content is None:
        (folder / "newer" / file).unlink()
    else:
        (folder / "newer" / file).write_bytes(content)
    with caplog.at_level(logging.ERROR):
        model = served(folder)
    assert (model.scorer.model_version, model.refused) == (SHIPPED, ("newer",))
    (line,) = (record for record in caplog.records if record.name == load_champion.__module__)
    assert (line.message, line.model_version) == ("model refused", "newer")
    assert why in line.problem


def test_where_nothing_was_trained_the_next_place_is_asked(tmp_path):
    assert served(tmp_path, SHIPPED_MODELS).scorer.model_version == SHIPPED


@pytest.mark.parametrize("broken", ["{", "[]", "{}", "null"])
def test_an_alias_that_cannot_be_read_is_reported_and_the_next_registry_is_tried(folder, caplog, broken):
    (folder / "champion.json").write_text(broken)
    with caplog.at_level(logging.ERROR):
        assert served(folder, SHIPPED_MODELS).scorer.model_version == SHIPPED
    assert "models cannot be read" in caplog.messages


def test_if_nothing_can_be_served_every_reason_is_given(folder):
    for version in (SHIPPED, "newer"):
        (folder / version / "model.onnx").write_bytes(b"broken")
    with pytest.raises(ModelRefused, match=rf"(?s)no model to serve in {folder}.*newer: .*{SHIPPED}: "):
        served(folder)
