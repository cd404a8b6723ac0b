"""Which content for whom: drawn by lot while nothing is known, then by what each is worth to each customer."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from flows.campaigns.audience import screen_eligibility
from flows.campaigns.out_of_fold import Interval
from flows.campaigns.targeting import plan
from flows.campaigns.uplift import InsufficientData, fit_uplift
from flows.campaigns.variants import VariantUplift, fit_variants, targets_of, to_measure
from tests.examples.campaign_worlds import shop
from tests.examples.candidates import HORIZON_DAYS, LAUNCHED_ON, campaign, candidates

CONTENTS = {"shoes": {"text": "New shoes"}, "hats": {"text": "New hats", "cost_per_contact": 0.2}}
OFFER = {"text": "news", "cost_per_contact": 0.1, "cost_per_redemption": 0.0}
NOTHING = InsufficientData("no campaign has ended")


def spring(**changes):
    return campaign(**{"offer": OFFER, "variants": CONTENTS, "holdout": 0.4, "budget": 1e6} | changes)


def planned(fitted=NOTHING, customers=None, **changes):
    of = spring(**changes)
    screened = screen_eligibility(candidates(3_000) if customers is None else customers, of, 0.0)
    return plan(of, screened, fitted, LAUNCHED_ON, HORIZON_DAYS)


def past_campaign(effects, n=4_000, seed=0):
    """A campaign whose variants were drawn by lot. effects: additional share of buyers, by variant, for customers of
    social media and for others."""
    rng = np.random.default_rng(seed)
    customers = shop(n, rng)
    is_social = customers["channel"].to_numpy() == "social"
    treated, variant = rng.random(n) < 0.6, np.array(list(effects), dtype=object)[rng.integers(0, len(effects), n)]
    more = sum((variant == name) * np.where(is_social, *of) for name, of in effects.items())
    bought = rng.random(n) < 0.1 + treated * more
    happened = {
        "campaign": np.full(n, "winter"),
        "arm": np.where(treated, "treated", "holdout"),
        "treatment_share": np.full(n, 0.6),
        "window_days": np.full(n, 30),
        "purchased": bought,
        "spend": bought * np.asarray(customers["average_order_value"].to_numpy()),
        "variant": variant,
        "variant_share": np.full(n, 1 / len(effects)),
    }
    return pa.table({name: customers[name] for name in customers.column_names} | happened)


def test_while_nothing_is_known_each_arm_gets_each_variant_as_often_by_a_lot_of_its_own():
    found = planned()
    for arm in ("treated", "holdout"):
        variants = found.targets.filter(pc.equal(found.targets["arm"], arm))["variant"].to_numpy()
        assert np.mean(variants == "shoes") == pytest.approx(0.5, abs=0.03)
    assert set(found.targets["variant_share"].to_pylist()) == {0.5}
    assert sum(customers for customers, _ in found.variants.values()) == found.count("treated")
    assert found.targets.equals(planned().targets)


def test_each_variant_costs_what_it_costs():
    found = planned()
    shoes, hats = (found.variants[name][0] for name in CONTENTS)
    assert found.expected_cost == pytest.approx(0.1 * shoes + 0.2 * hats)


def test_a_campaign_without_variants_has_none():
    found = planned(variants=None)
    assert found.variants == {}
    assert found.targets["variant"].null_count == found.targets["variant_share"].null_count == len(found.targets)


@pytest.fixture(scope="module")
def each_to_some():
    """Shoes work on customers of social media, hats on the others."""
    return fit_variants(past_campaign({"shoes": (0.2, -0.03), "hats": (-0.03, 0.2)}), spring())


def test_where_contents_work_on_different_customers_each_gets_the_one_that_works(each_to_some):
    assert isinstance(each_to_some, VariantUplift)
    assert each_to_some.chooses
    found = planned(each_to_some, shop(2_000, np.random.default_rng(5)), explore=0.1, budget=60)
    chosen = found.targets.filter(pc.equal(found.targets["variant_share"], 1.0))
    right = np.where(chosen["channel"].to_numpy() == "social", "shoes", "hats")
    assert np.mean(chosen["variant"].to_numpy() == right) > 0.95
    assert found.explored > 0
    assert pc.any(pc.equal(found.targets["variant_share"], 0.5)).as_py()  # others go on by lot
    assert found.count("holdout") > 0
    promised = [promise for _, promise in found.variants.values()]
    assert sum(of.mean for of in promised) == pytest.approx(found.uncorrected_profit.mean)
    assert "Each gets the variant" in found.why_ranked_so


def test_where_one_content_is_best_for_everybody_everybody_gets_it_and_the_preview_says_so():
    fitted = fit_variants(past_campaign({"shoes": (0.15, 0.15), "hats": (0.02, 0.02)}), spring())
    assert isinstance(fitted, VariantUplift)
    assert not fitted.chooses
    found = planned(fitted, shop(2_000, np.random.default_rng(5)), explore=0.0)
    assert set(found.targets["variant"].to_pylist()) == {"shoes"}
    assert "Everybody gets shoes: choosing for each customer does not clearly add" in found.why_ranked_so


def test_a_gain_that_is_not_clear_is_not_followed(each_to_some):
    unclear = replace(each_to_some, gain=Interval(0.1, -0.01, 0.21))
    assigned = unclear.assigned(spring(), shop(200, np.random.default_rng(5)))
    assert set(assigned["variant"].to_pylist()) == {unclear.single}


def test_what_other_campaigns_did_says_nothing_of_these_variants():
    history = past_campaign({"socks": (0.1, 0.1), "hats": (0.1, 0.1)})
    found = fit_variants(history, spring())
    assert isinstance(found, InsufficientData)
    assert "shoes, hats" in found.why


def test_all_of_the_control_group_is_compared_with_a_variant_that_was_drawn_by_lot():
    history = past_campaign({"shoes": (0.1, 0.1), "hats": (0.1, 0.1)})
    found = targets_of("shoes", history)
    assert pc.sum(pc.equal(found["arm"], "holdout")) == pc.sum(pc.equal(history["arm"], "holdout"))
    assert set(found.filter(pc.equal(found["arm"], "treated"))["variant"].to_pylist()) == {"shoes"}
    share = found["treatment_share"][0].as_py()
    assert share == pytest.approx(0.3 / 0.7)
    assert pc.mean(pc.equal(found["arm"], "treated").cast("float64")).as_py() == pytest.approx(share, abs=0.02)
    assert not isinstance(fit_uplift(found), InsufficientData)


def test_with_some_variants_chosen_the_control_group_is_who_would_have_got_it():
    history = past_campaign({"shoes": (0.1, 0.1), "hats": (0.1, 0.1)})
    share = np.where(np.arange(len(history)) < 2_000, 0.5, 1.0)
    mixed = history.set_column(history.column_names.index("variant_share"), "variant_share", pa.array(share))
    found = to_measure("shoes", mixed)
    assert set(found["variant"].to_pylist()) == {"shoes"}
    assert set(found["treatment_share"].to_pylist()) == {0.6}
