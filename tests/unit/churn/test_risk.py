from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from flows.churn.btyd import BuyTillYouDie
from flows.churn.candidates import AVERAGED, CANDIDATES, STACKED, TREES
from flows.churn.risk import cause_of_tree
from functions.churn_api.contract import CAUSE_NAMES, CAUSES, EMAIL_FEATURES, FEATURE_NAMES
from tests.examples.snapshots import made_up_snapshots

DATA = made_up_snapshots([date(2025, 1, 1), date(2025, 2, 1)], 900)
PROCESS = BuyTillYouDie.fit(DATA.newest(1).features)


@pytest.fixture(scope="module", params=CANDIDATES)
def risk(request):
    return CANDIDATES[request.param](DATA, PROCESS)


@pytest.fixture(scope="module")
def trees():
    return CANDIDATES[TREES](DATA, PROCESS)


def column(name):
    return FEATURE_NAMES.index(name)


def test_contributions_are_the_whole_way_from_a_typical_customer(risk):
    unexplained = risk.log_odds(DATA.features) - risk.contributions(DATA.features).sum(axis=1)
    assert unexplained == pytest.approx(np.full(len(DATA), unexplained[0]), abs=1e-9)


@pytest.mark.parametrize("candidate", [AVERAGED, STACKED])
def test_without_the_silence_the_score_is_what_recency_had_not_added(candidate):
    """The customer on the day on which the next order would usually have come: the cause is gone, the score moves."""
    risk = CANDIDATES[candidate](DATA, PROCESS)
    several = DATA.features[DATA.column("frequency") > 1]
    to_last = several[:, column("tenure_days")] - several[:, column("recency_days")]
    usual = np.maximum(to_last / (several[:, column("frequency")] - 1), 1)
    then = several.copy()
    then[:, column("recency_days")] = usual
    then[:, column("tenure_days")] = to_last + usual
    recency = risk.contributions(several)[:, CAUSE_NAMES.index("recency")]
    assert risk.log_odds(several) - risk.log_odds(then) == pytest.approx(recency, abs=1e-9)
    assert risk.contributions(then)[:, CAUSE_NAMES.index("recency")] == pytest.approx(0, abs=1e-9)


def test_with_the_figures_of_active_customers_the_score_is_what_a_cause_of_the_trees_had_not_added(trees):
    """A cause's figures replaced by those of each active customer in turn: on average the cause is gone."""
    active = DATA.newest(1).features[DATA.newest(1).column("recency_to_shrunk_gap") <= 1]
    customers = DATA.features[:5]
    contributions = trees.contributions(customers)
    for position, features in enumerate(CAUSES.values()):
        columns = [column(name) for name in features]
        for row, customer in enumerate(customers):
            swapped = np.tile(customer, (len(active), 1))
            swapped[:, columns] = active[:, columns]
            moved = trees.log_odds(customers[[row]])[0] - trees.log_odds(swapped).mean()
            assert moved == pytest.approx(contributions[row, position], abs=1e-9)


def test_every_tree_sees_the_figures_of_one_cause_only(trees):
    for (tree,) in trees.trees.fitted._predictors:
        inner = tree.nodes[tree.nodes["is_leaf"] == 0]
        seen = {FEATURE_NAMES[node["feature_idx"]] for node in inner}
        cause = cause_of_tree(tree.nodes)
        assert seen <= set(CAUSES[CAUSE_NAMES[cause]])


def test_the_sums_by_cause_are_what_scikit_learn_adds_up(trees):
    fitted = trees.trees.fitted
    assert trees.trees.baseline + trees.trees.sums(DATA.features).sum(axis=1) == pytest.approx(
        fitted.decision_function(DATA.features), abs=1e-12
    )


def test_a_longer_silence_raises_the_risk(risk):
    customer = np.tile(DATA.features[0], (50, 1))
    customer[:, column("frequency")] = 4
    customer[:, column("recency_days")] = np.arange(50) * 5
    customer[:, column("tenure_days")] = 120 + np.arange(50) * 5
    odds = risk.log_odds(customer)
    assert odds[-1] > odds[0]


def test_a_shop_that_knows_nothing_of_emails_has_a_model_without_them():
    features = DATA.features.copy()
    features[:, [column(name) for name in EMAIL_FEATURES]] = np.nan
    trees = CANDIDATES[TREES](replace(DATA, features=features), PROCESS)
    assert not trees.contributions(features)[:, CAUSE_NAMES.index("engagement")].any()
    # figures that come later say nothing to it
    assert trees.log_odds(DATA.features).tolist() == trees.log_odds(features).tolist()


def test_who_opens_no_email_and_leaves_teaches_the_trees_to_say_so():
    opened = np.random.default_rng(1).integers(0, 4, len(DATA)).astype(float)
    features = DATA.features.copy()
    features[:, column("emails_opened_last_90_days")] = opened
    churned = np.where(np.random.default_rng(2).random(len(DATA)) < 0.9, opened == 0, opened > 0)
    trees = CANDIDATES[TREES](replace(DATA, features=features, churned=churned), PROCESS)
    engagement = trees.contributions(features)[:, CAUSE_NAMES.index("engagement")]
    assert engagement[opened == 0].min() > engagement[opened > 0].max()
    strongest = np.abs(trees.contributions(features)[opened == 0]).argmax(axis=1)
    assert (strongest == CAUSE_NAMES.index("engagement")).mean() > 0.9
