"""Which model scores a run: the champion or the new one, the shipped one, or the one that the API has."""

from dataclasses import dataclass, field, fields
from datetime import date

import pytest

from flows.adapters.marts.run_report import Trained
from flows.adapters.marts.staged_orders import AsOf, KeptHorizon
from flows.adapters.models.registry import StoredModel
from flows.errors import ModelRefused, TooLittleData
from flows.steps import scoring
from flows.steps.scoring import choose_model, fitting_champion, kept_horizon

AS_OF = AsOf(date(2026, 6, 30), None, None, 90, "as said", customers=400)


def model(version, horizon_days=90, trained_as_of="2026-06-30", shop="my_shop"):
    card = {
        "model_version": version, "horizon_days": horizon_days, "trained_as_of": trained_as_of,
        "trained_on": {"shop": shop},
    }  # fmt: skip
    return StoredModel(card, b"")


@dataclass
class Wiring:
    """One registry of both kinds, and a warehouse whose API has the model `deployed`."""

    models: dict = field(default_factory=dict)
    served: str | None = None
    deployed: str | None = None

    own_models = shipped_models = warehouse = property(lambda self: self)

    def champion(self):
        return self.models.get(self.served)

    def champion_card(self):
        return self.models[self.served].card if self.served else None

    def versions(self):
        return list(self.models)

    def registry_for(self, version):
        return self

    def load(self, version):
        if version not in self.models:
            raise ModelRefused(f"The model {version} cannot be used")
        return self.models[version]

    def scores_with(self, chosen):
        return self.deployed or chosen


@pytest.fixture
def wired():
    def with_models(*models, served=None, deployed=None):
        wiring = Wiring({m.version: m for m in models}, served, deployed)
        return (
            lambda found: choose_model.fn(wiring, "my_shop", AS_OF, found),
            lambda: fitting_champion.fn(wiring, "my_shop", AS_OF),
            lambda trains: kept_horizon.fn(wiring, "my_shop", trains),
        )

    return with_models


def test_the_api_that_has_another_model_scores_with_it_under_its_name(wired):
    old, new = model("old", trained_as_of="2026-05-31"), model("new")
    choose, *_ = wired(old, new, deployed="old")
    assert choose(new).version == "old"


@pytest.mark.parametrize(
    "deployed", [model("later", trained_as_of="2026-07-31"), model("other horizon", horizon_days=30), None]
)
def test_where_the_api_serves_what_must_not_score_this_run_the_wanted_model_scores(wired, caplog, deployed):
    known = [deployed] if deployed else []
    choose, *_ = wired(*known, model("new"), deployed=deployed.version if deployed else "of another store")
    assert choose(model("new")).version == "new"
    assert "Snowflake scores with new by itself" in caplog.text


def test_the_api_has_time_to_follow_a_promotion_and_no_more(wired, monkeypatch):
    asked = []

    def scores_with(_, chosen):
        asked.append(chosen)
        return "old" if len(asked) < 3 else chosen

    monkeypatch.setattr(scoring, "ASK_EVERY_SECONDS", 0)
    monkeypatch.setattr(Wiring, "scores_with", scores_with)
    old, new = model("old"), model("new")
    choose, *_ = wired(old, new)
    trained = Trained(new, "new", *[None] * (len(fields(Trained)) - 2))
    assert (choose(trained).version, len(asked)) == ("new", 3)
    asked.clear()
    assert (choose(new).version, len(asked)) == ("old", 1)  # nothing was promoted
    monkeypatch.setattr(scoring, "FOLLOWS_WITHIN_SECONDS", 0)
    asked.clear()
    assert choose(trained).version == "old"


def test_a_model_of_another_shop_knows_nothing_of_this_ones_future(wired):
    shipped = model("shipped", trained_as_of="2026-12-31", shop="simulated_shop")
    choose, *_ = wired(shipped, served="shipped")
    assert choose(TooLittleData("few customers")).version == "shipped"
    choose, *_ = wired(model("shipped", horizon_days=30), served="shipped")
    assert choose(TooLittleData("few customers")) is None


@pytest.mark.parametrize(
    ("champion", "fits"),
    [
        (model("m"), True),
        (model("m", trained_as_of="2026-07-01"), False),
        (model("m", horizon_days=60), False),
        (model("m", shop="another"), False),
        (None, False),
    ],
)
def test_only_a_champion_of_this_shop_and_horizon_that_knows_nothing_later_spares_a_training(wired, champion, fits):
    _, champion_that_fits, _ = wired(*([champion] if champion else []), served="m")
    assert (champion_that_fits() is not None) == fits


def test_a_run_that_does_not_train_looks_as_far_as_the_model_that_the_api_still_has(wired):
    old, new = model("old", trained_as_of="2026-05-31"), model("new", horizon_days=60)
    _, champion_that_fits, kept = wired(old, new, served="new", deployed="old")
    assert kept(trains=False) == KeptHorizon(90, "old", date(2026, 5, 31), may_change=False)
    assert champion_that_fits().version == "old"
    assert kept(trains=True) == KeptHorizon(60, "new", date(2026, 6, 30), may_change=True)


def test_the_horizon_of_another_shops_model_is_not_kept(wired):
    assert wired(model("m", shop="another"), served="m")[2](trains=True) is None
    assert wired()[2](trains=True) is None
