from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flows.campaigns.assignment import in_holdout
from flows.campaigns.audience import screen_eligibility
from flows.campaigns.choice import BEYOND_BUDGET, WOULD_NOT_PAY, chance_of_purchase, horizon_at_pace
from flows.campaigns.out_of_fold import Interval
from flows.campaigns.targeting import plan
from flows.campaigns.transfer import AS_LEARNT
from flows.campaigns.uplift import Estimate, InsufficientData
from flows.errors import BadInput
from tests.examples.candidates import HORIZON_DAYS, LAUNCHED_ON, campaign, candidates

NOTHING = InsufficientData("no campaign has ended")


class Fitted:
    """Somebody who knows what contacting each customer brings."""

    why = "because the test says so"
    transfer = AS_LEARNT

    def __init__(self, profit_of, beats_random=True):
        self.profit_of = profit_of
        self.beats_random = beats_random

    def expected_profit(self, customers, margin, offer, window_days):
        mean = np.array([self.profit_of(i) for i in customers["customer_id"].to_pylist()])
        return Estimate(mean, mean - 1, mean + 1, np.full(len(mean), 0.3))

    def profit_of_list(self, customers, margin, offer, window_days):
        mean = sum(self.profit_of(i) for i in customers["customer_id"].to_pylist())
        return Interval(mean, mean - 1, mean + 1)


def planned(customers=None, fitted=NOTHING, global_holdout=0.0, **changes):
    spring = campaign(**changes)
    screened = screen_eligibility(candidates() if customers is None else customers, spring, global_holdout)
    return plan(spring, screened, fitted, LAUNCHED_ON, HORIZON_DAYS)


def arm(found, name):
    return set(found.targets.filter(pc.equal(found.targets["arm"], name))["customer_id"].to_pylist())


def test_the_treated_cost_no_more_than_the_budget_and_nearly_all_of_it():
    found = planned()
    assert 285 < found.expected_cost <= 300
    assert found.excluded[BEYOND_BUDGET] == 1_000 - len(found.targets)


@settings(max_examples=30, deadline=None)
@given(
    budget=st.floats(6, 5_000),
    holdout=st.sampled_from([0.1, 0.25, 0.5]),
    contact=st.floats(0, 3),
    redemption=st.floats(0, 10),
)
@example(budget=6, holdout=0.1, contact=3, redemption=10)  # pays for nobody
@example(budget=6, holdout=0.25, contact=3, redemption=6)  # pays for one, who is in the holdout
def test_no_budget_is_overspent_and_nobody_is_in_two_arms(budget, holdout, contact, redemption):
    offer = {"text": "x", "cost_per_contact": contact, "cost_per_redemption": redemption}
    try:
        found = planned(candidates(200), budget=budget, holdout=holdout, offer=offer)
    except BadInput:
        assert budget < 2 * (contact + redemption)  # refused is only what is hardly enough for two who redeem
        return
    assert found.expected_cost <= budget + 1e-6
    treated, held_out = arm(found, "treated"), arm(found, "holdout")
    assert not treated & held_out
    assert len(found.targets) == len(treated) + len(held_out)
    assert len(found.targets) + sum(found.excluded.values()) == found.audience_size


def test_without_a_fitted_model_every_stratum_is_contacted_in_the_same_share():
    customers = candidates(3_000)
    found = planned(customers, budget=2_000)
    assert found.ranked_by == "chance"
    for segment in ("Champions", "At risk", "Lost"):
        of_all = pc.sum(pc.equal(customers["segment"], segment)).as_py()
        chosen = pc.sum(pc.equal(found.targets["segment"], segment)).as_py()
        assert chosen / of_all == pytest.approx(len(found.targets) / 3_000, abs=0.01)


def test_both_arms_are_alike_in_segment_and_risk():
    found = planned(candidates(3_000), budget=5_000)
    counts = found.targets.group_by(["stratum", "arm"]).aggregate([("customer_id", "count")]).to_pylist()
    of = {(row["stratum"], row["arm"]): row["customer_id_count"] for row in counts}
    for stratum in {row["stratum"] for row in counts}:
        size = of[stratum, "treated"] + of.get((stratum, "holdout"), 0)
        assert abs(of.get((stratum, "holdout"), 0) - 0.2 * size) <= 1


def test_planning_again_changes_nobodys_arm():
    assert planned().targets.equals(planned().targets)


def test_another_name_draws_other_arms():
    spring, summer = planned(budget=10_000), planned(budget=10_000, name="summer")
    both = len(arm(spring, "holdout") & arm(summer, "holdout"))
    assert both == pytest.approx(0.2 * 0.2 * 1_000, abs=25)


def test_with_a_fitted_model_the_most_profitable_come_first():
    found = planned(fitted=Fitted(lambda customer_id: float(customer_id[1:])), explore=0.0)
    assert found.ranked_by == "uplift"
    chosen = [int(i[1:]) for i in found.targets["customer_id"].to_pylist()]
    assert chosen == sorted(chosen, reverse=True)
    assert chosen[0] == 999
    assert found.targets["expected_profit"][0].as_py() == 999
    assert found.expected_profit.low < found.expected_profit.mean < found.expected_profit.high
    assert not found.is_expected_to_lose


def test_customers_who_cost_more_than_they_bring_are_left_alone_however_large_the_budget():
    of_first = Fitted(lambda customer_id: 1.0 if int(customer_id[1:]) < 100 else -0.5)
    found = planned(fitted=of_first, budget=1e6, explore=0.0)
    assert len(found.targets) == 100
    assert found.excluded == {WOULD_NOT_PAY: 900}


def test_a_small_share_of_a_ranked_list_is_by_lot_whatever_is_expected_of_them():
    """Also of those who are expected to cost more than they bring: else they would never be tried again."""
    of_some = Fitted(lambda customer_id: 1.0 if int(customer_id[1:]) < 400 else -0.1)
    found = planned(candidates(2_000), fitted=of_some, budget=400, explore=0.1)
    expected = found.targets["expected_profit"].to_numpy()
    assert found.ranked_by == "uplift"
    assert 0 < found.explored <= 0.1 * len(found.targets)
    assert 0 < found.explored_cost <= 0.1 * 400
    assert found.expected_cost <= 400
    assert (expected < 0).any()
    assert (expected[: -int(0.12 * len(expected))] > 0).all()  # the best come first
    by_lot = found.targets.slice(int((expected > 0).argmin()))
    assert {"treated", "holdout"} == set(by_lot["arm"].to_pylist())
    assert set(found.targets["treatment_share"].to_pylist()) == {0.8}
    assert len(found.targets) + sum(found.excluded.values()) == found.audience_size
    assert len(set(found.targets["customer_id"].to_pylist())) == len(found.targets)


def test_where_few_are_worth_contacting_few_are_tried_by_lot():
    """A twentieth of a budget that nobody could spend would be everybody, and what is free has no budget."""
    of_first = Fitted(lambda customer_id: 1.0 if int(customer_id[1:]) < 100 else -0.01)
    for offer in ({"text": "x", "cost_per_contact": 0.5}, {"text": "free"}):
        found = planned(candidates(2_000), fitted=of_first, budget=1e6, offer=offer)
        assert len(found.targets) == pytest.approx(100 / 0.95, abs=2)


def test_a_list_by_lot_and_a_budget_too_small_to_be_shared_explore_nothing_more():
    assert planned().explored == 0
    assert planned(fitted=Fitted(lambda _: 1.0, beats_random=False)).explored == 0
    tiny = planned(fitted=Fitted(lambda _: 1.0), budget=10)
    assert tiny.explored == 0
    assert tiny.count("treated") > 1


def test_a_ranking_that_is_not_trusted_is_not_used_but_what_contacting_changed_is_known():
    found = planned(fitted=Fitted(lambda customer_id: float(customer_id[1:]) / 1_000, beats_random=False))
    assert found.ranked_by == "chance"
    assert found.expected_profit.mean == pytest.approx(0.5 * found.count("treated"), rel=0.1)
    assert not found.is_expected_to_lose


def test_contacting_by_lot_is_chosen_where_the_list_of_the_ranking_is_expected_to_bring_less():
    """Of a hundred the ranking is sure, with the others it is too careful."""

    class Careful(Fitted):
        def expected_profit(self, customers, margin, offer, window_days):
            estimate = super().expected_profit(customers, margin, offer, window_days)
            return replace(estimate, mean=np.where(np.arange(len(estimate.mean)) < 100, 1.0, -0.1))

    assert planned(fitted=Careful(lambda _: 1.0), budget=2_000).ranked_by == "chance"


@pytest.mark.parametrize("beats_random", [True, False])
def test_where_contacting_is_expected_to_lose_the_answer_is_to_contact_nobody(beats_random):
    found = planned(fitted=Fitted(lambda _: -0.5, beats_random))
    assert found.is_expected_to_lose
    assert found.warnings[0].text.startswith("contact nobody: ")
    assert "write `to_learn: true`" in found.warnings[0].text


def test_a_loss_that_may_be_a_gain_is_said_to_be_in_doubt():
    def warned(profit):
        return planned(fitted=Fitted(lambda _: profit, beats_random=False)).warnings[0].text

    assert "beyond doubt" in warned(-0.001)
    assert "beyond doubt" not in warned(-1.0)


def test_a_gain_that_may_be_a_loss_is_warned_of():
    unsure = planned(fitted=Fitted(lambda _: 0.001, beats_random=False))
    assert not unsure.is_expected_to_lose
    assert unsure.warnings[0].text.startswith("this may lose up to 1 (90 % interval)")
    assert not any("may lose" in one.text for one in planned(fitted=Fitted(lambda _: 1.0, beats_random=False)).warnings)


def test_a_campaign_to_learn_says_what_it_spends():
    found = planned(fitted=Fitted(lambda _: -0.5, beats_random=False), to_learn=True)
    assert f"lose {-found.expected_profit.mean:,.0f}" in found.warnings[0].text
    assert "spent to learn" in found.warnings[0].text


def test_targets_keep_the_chance_of_being_treated_that_they_had():
    assert set(planned(holdout=0.3).targets["treatment_share"].to_pylist()) == {0.7}


def test_the_cost_of_a_plan_is_of_its_treated_and_of_those_of_them_who_are_expected_to_redeem():
    # within 30 of 90 days a tenth would buy; 5 of 100 more are assumed, so as not to overspend
    customers = candidates(100, churn_probability=np.full(100, 0.9**3))
    by_chance = planned(customers, budget=1e6)
    assert by_chance.expected_cost == pytest.approx(by_chance.count("treated") * (0.5 + 5 * (0.1 + 0.05)))
    assert by_chance.highest_cost == pytest.approx(by_chance.count("treated") * (0.5 + 5))
    fitted = planned(customers, fitted=Fitted(lambda _: 1.0), budget=1e6)  # that 30 of 100 buy if they are contacted
    assert fitted.expected_cost == pytest.approx(fitted.count("treated") * (0.5 + 5 * 0.3))


def test_a_purchase_counts_until_so_many_days_after_the_launch():
    assert planned(window_days=30).window_ends_on == date(2026, 4, 30)  # launched on March 31


def test_the_global_holdout_is_written_down_and_not_treated():
    found = planned(global_holdout=0.3)
    never = arm(found, "global_holdout")
    assert 250 < len(never) < 350
    assert not never & (arm(found, "treated") | arm(found, "holdout"))
    assert set(
        found.targets.filter(pc.equal(found.targets["arm"], "global_holdout"))["treatment_share"].to_pylist()
    ) == {0}


def test_an_empty_audience_is_refused_with_its_criteria():
    with pytest.raises(BadInput, match="no customer is in this audience"):
        planned(audience={"segments": ["Hibernating"]})


def test_an_audience_without_eligible_customers_says_why():
    with pytest.raises(
        BadInput, match=r"of the 5 customers of this audience nobody is left: 3 opted out, 2 no address"
    ):
        planned(
            candidates(5, opted_out=pa.array([True] * 3 + [False] * 2), email=pa.nulls(5, pa.string())),
            destination="hubspot",
        )


def test_a_budget_that_pays_for_nobody_says_what_one_customer_costs():
    with pytest.raises(
        BadInput, match=r"a budget of 0.10 pays for nobody: contacting the customer who comes first .* cost \d\.\d\d\."
    ):
        planned(budget=0.1)


def test_where_nobody_was_scored_everybody_is_expected_to_redeem():
    customers = candidates(100, churn_probability=pa.nulls(100, pa.float64()), risk_band=pa.nulls(100, pa.string()))
    assert np.isnan(chance_of_purchase(customers, 30, 90)).all()
    found = planned(customers, budget=55)
    assert found.expected_cost == pytest.approx(found.highest_cost)
    assert found.highest_cost <= 55
    # what they would do without it is then taken from what they did, not from what they may cost
    assert 0.1 < found.power.rate_without < 0.4
    assert found.power.detectable_lift > 0.1


def test_a_campaign_whose_customers_were_all_drawn_into_the_holdout_says_so():
    one = candidates(1)
    stratum = np.array([f"{one['segment'][0]}, {one['risk_band'][0]}"], dtype=object)
    who = np.array(["C00000"], dtype=object)
    drawn = next(f"spring{n}" for n in range(99) if in_holdout(stratum, who, f"spring{n}", 0.5).all())
    with pytest.raises(
        BadInput, match=r"of so few customers \(1\) all were drawn into the holdout. Widen the audience"
    ):
        planned(one, name=drawn, holdout=0.5, budget=5_000)


def test_where_the_budget_pays_only_for_holdout_members_the_budget_must_be_raised():
    offer = {"text": "x", "cost_per_contact": 3, "cost_per_redemption": 6}
    refusals = []
    for n in range(20):  # a quarter of the names draw the one customer whom the budget pays for
        try:
            planned(candidates(200), name=f"spring{n}", budget=6, holdout=0.25, offer=offer)
        except BadInput as refusal:
            refusals.append(str(refusal))
    assert any("of so few customers (1) all were drawn into the holdout. Raise the budget" in r for r in refusals)


def test_a_small_campaign_is_warned_that_it_cannot_show_anything_and_what_would():
    found = planned(budget=40)
    (warning,) = found.warnings
    assert "cannot show anything" in warning.text
    assert f"{found.power.customers_needed:,} customers" in warning.text


def test_a_large_campaign_is_not_warned():
    assert planned(candidates(30_000), budget=1e6, holdout=0.3).warnings == []


def test_no_holdout_is_warned_of_though_it_was_meant():
    assert "there is no control group" in planned(holdout=0, i_know=True).warnings[0].text


def test_an_offer_that_gives_away_more_than_the_margin_is_warned_of():
    offer = {"text": "a television", "cost_per_redemption": 400}
    assert any("cannot pay" in warning.text for warning in planned(offer=offer, budget=1e6).warnings)


def test_risk_is_not_taken_for_effect():
    """Without a fitted model, customers who are likely to leave are chosen no more often than others of their
    stratum."""
    customers = candidates(3_000)
    found = planned(customers, budget=2_000)
    high = found.targets.filter(pc.equal(found.targets["risk_band"], "high"))
    of_all = customers.filter(pc.equal(customers["risk_band"], "high"))
    chosen, everybody = pc.mean(high["churn_probability"]).as_py(), pc.mean(of_all["churn_probability"]).as_py()
    assert chosen == pytest.approx(everybody, abs=0.01)


@pytest.mark.parametrize("share", [0.05, 0.4, 1.6])
def test_within_a_window_as_many_buy_as_the_shop_has_seen_in_such_windows(share):
    customers = candidates(500)
    in_horizon = chance_of_purchase(customers, 90, 90).mean()
    horizon = horizon_at_pace(customers, share, 30, 90)
    assert chance_of_purchase(customers, 30, horizon).mean() == pytest.approx(share * in_horizon, rel=1e-4)


def test_without_a_year_of_history_the_pace_is_constant():
    assert horizon_at_pace(candidates(500), None, 30, 90) == 90
