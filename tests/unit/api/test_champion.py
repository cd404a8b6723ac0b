import json
import logging
import shutil
from hashlib import sha256

import pytest

from flows.settings import SHIPPED_MODELS
from functions.churn_api.champion import LiveModel, ModelFolder, load_champion
from functions.churn_api.fast_path import create_api
from functions.churn_api.scorer import ModelRefused
from tests.running.serving import ORDERS, LocalClient, renamed_model, service

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


def store(folder, version, horizon_days=90):
    (folder / version).mkdir()
    (folder / version / "model.onnx").write_bytes(renamed_model(version, horizon_days))
    (folder / version / "model_card.json").write_text(json.dumps({"model_version": version}))


def promote(folder, *versions, **more):
    champion, *previous = versions
    (folder / "champion.json").write_text(json.dumps({"model_version": champion, "previous": previous} | more))


@pytest.fixture
def live(tmp_path):
    """A and B are stored; A is the champion."""
    store(tmp_path, "A")
    store(tmp_path, "B", horizon_days=30)
    promote(tmp_path, "A")
    return LiveModel.load([ModelFolder(str(tmp_path)), ModelFolder(str(SHIPPED_MODELS))])


def state(live):
    live.refresh()
    return live.served.version, live.served.champion, live.served.refused


def test_a_promoted_and_a_rolled_back_model_are_served_without_a_restart(live, tmp_path):
    assert state(live) == ("A", "A", ())
    promote(tmp_path, "B", "A")
    assert state(live) == ("B", "B", ())
    assert live.served.card == {"model_version": "B"}
    promote(tmp_path, "A", rejected=["B"])
    assert state(live) == ("A", "A", ())


def test_responses_health_and_card_are_of_the_model_of_the_moment(live, tmp_path):
    history = {"customer_id": "C1", "as_of": "2026-06-30", "orders": ORDERS}
    with LocalClient(create_api(service(live=live))) as client:

        def answers():
            (answer,) = client.post("/predict", json=history).json()
            health = client.get("/health").json()
            return answer["model_version"], answer["horizon_days"], health["model_version"], health["champion"]

        assert answers() == ("A", 90, "A", "A")
        promote(tmp_path, "B", "A")
        live.refresh()
        assert answers() == ("B", 30, "B", "B")
        assert client.get("/model").json() == {"model_version": "B"}


def test_a_request_ends_with_the_model_that_it_began_with(live, tmp_path, monkeypatch):
    """Features are made for the horizon of a model, so a model of another horizon must not score them."""
    from functions.churn_api import predictor

    scored, predict = [], predictor.predict

    def noted(scorer, requests):
        scored.append((scorer.model_version, repr(requests[0].features.tolist())))
        return predict(scorer, requests)

    history = [{"customer_id": "C1", "as_of": "2026-06-30", "orders": ORDERS}] * 2
    monkeypatch.setattr(predictor, "predict", noted)
    standing = service(live=live)

    def read_during_a_promotion(body, reader):
        promote(tmp_path, "B", "A")
        live.refresh()
        return read(body, reader)

    read = standing.read
    with LocalClient(create_api(standing)) as client:
        client.post("/predict", json=history)
        monkeypatch.setattr(standing, "read", read_during_a_promotion)
        client.post("/predict", json=history)
    assert live.served.version == "B"
    assert [version for version, _ in scored] == ["A", "A"]
    assert scored[0][1] == scored[1][1]


@pytest.mark.parametrize("alias", ["{", "[]", "{}", "null"])
def test_an_alias_that_cannot_be_read_changes_nothing_and_is_logged_once(live, tmp_path, caplog, alias):
    (tmp_path / "champion.json").write_text(alias)
    with caplog.at_level(logging.ERROR):
        assert state(live) == state(live) == ("A", "A", ())
    assert caplog.messages == ["the champion cannot be read; the model stays"]
    promote(tmp_path, "B", "A")
    assert state(live) == ("B", "B", ())


def test_a_champion_that_cannot_be_loaded_is_named_once_and_the_last_good_one_stays(live, tmp_path, caplog):
    (tmp_path / "B" / "model.onnx").write_bytes(b"half of it")
    promote(tmp_path, "B")
    with caplog.at_level(logging.ERROR):
        assert state(live) == state(live) == ("A", "B", ("B",))
    assert caplog.messages == ["model refused"]
    shutil.rmtree(tmp_path / "B")
    store(tmp_path, "B")  # the copy is whole now
    assert state(live) == ("B", "B", ())


def test_a_store_that_does_not_answer_changes_nothing(live, tmp_path, monkeypatch):
    promote(tmp_path, "B", "A")

    def out_of_reach(place, name, read=ModelFolder.read):
        if name.endswith(".onnx"):
            raise TimeoutError(name)
        return read(place, name)

    with monkeypatch.context() as broken:
        broken.setattr(ModelFolder, "read", out_of_reach)
        assert state(live) == ("A", "A", ())
    assert state(live) == ("B", "B", ())


def test_a_file_that_was_not_promoted_is_refused_by_its_digest(live, tmp_path, caplog):
    promoted = sha256((tmp_path / "B" / "model.onnx").read_bytes()).hexdigest()
    promote(tmp_path, "B", "A", sha256={"B": promoted})
    with open(tmp_path / "B" / "model.onnx", "ab") as model:
        model.write(b"\x00")
    with caplog.at_level(logging.ERROR):
        assert state(live) == ("A", "B", ("B",))
    assert "not the file that was promoted: its SHA-256 is" in caplog.records[0].problem


def test_a_champion_that_a_package_has_too_is_read_from_there(tmp_path):
    bucket, package = tmp_path / "bucket", tmp_path / "package"
    for folder in (bucket, package):
        folder.mkdir()
        store(folder, "A")
    digest = sha256((bucket / "A" / "model.onnx").read_bytes()).hexdigest()
    promote(bucket, "A", sha256={"A": digest})
    promote(package, "A")
    (bucket / "A" / "model.onnx").unlink()
    places = [ModelFolder(str(bucket)), ModelFolder(str(package))]
    assert load_champion(places).version == "A"
    (package / "A" / "model.onnx").write_bytes(b"of another day")
    store(bucket, "A again")
    shutil.copytree(bucket / "A again", bucket / "A", dirs_exist_ok=True)
    with pytest.raises(ModelRefused, match="not the file that was promoted"):
        load_champion(places)
