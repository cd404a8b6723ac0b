import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from flows.campaigns.covariates import COVARIATES
from flows.campaigns.offer import Offer
from flows.campaigns.past_targets import PastTargets
from flows.campaigns.randomisation import randomisation_p
from flows.campaigns.uplift import InsufficientData, Uplift, fit_uplift

FREE = Offer(text="A reminder")
CHANNELS = np.array(["social", "marketplace"], dtype=object)
EFFECT_ON_SOCIAL = 0.15


def customers(n, seed=0):
    rng = np.random.default_rng(seed)
    frequency = 1.0 + rng.poisson(2, n)
    recency = np.floor(rng.gamma(2, 40, n))
    orders = rng.lognormal(3.7, 0.3, n)
    columns = {
        "recency_days": recency,
        "frequency": frequency,
        "monetary": frequency * orders,
        "tenure_days": recency + 40 * (frequency - 1),
        "average_order_value": orders,
        "spend_last_365_days": frequency * orders * rng.random(n),
        "spend_last_period": orders * (recency < 90),
        "churn_probability": rng.beta(2, 2, n),
        "expected_spend": orders * rng.random(n),
    }
    assert set(columns) == set(COVARIATES)
    ids = np.array([f"C{i:06d}" for i in range(n)])
    return pa.table({"customer_id": ids, **columns, "channel": pa.array(CHANNELS[rng.integers(0, 2, n)])})


def base_rate(table):
    return 0.25 - 0.2 * table.column("churn_probability").to_numpy()


def effect(table):
    """Customers who came by social media buy more often if contacted; the others do not care."""
    return EFFECT_ON_SOCIAL * (np.array(table.column("channel").to_pylist()) == "social")


def campaign(n=4_000, seed=0, effect=effect, share=0.5, name="first"):
    """The history of one campaign. share: of the treated, a number or one for each customer."""
    table = customers(n, seed)
    rng = np.random.default_rng(1_000 + seed)
    share = share(table) if callable(share) else np.full(n, share)
    treated = rng.random(n) < share
    bought = rng.random(n) < base_rate(table) + treated * effect(table)
    spend = bought * table.column("average_order_value").to_numpy() * rng.lognormal(-0.08, 0.4, n)
    more = {
        "campaign": np.full(n, name),
        "arm": np.where(treated, "treated", "holdout"),
        "treatment_share": share,
        "window_days": np.full(n, 30),
        "purchased": bought,
        "spend": spend,
    }
    return pa.table({**{c: table.column(c) for c in table.column_names}, **more})


def nobody_cares(table):
    return np.zeros(table.num_rows)


def true_profit(table, margin=1.0):
    return margin * effect(table) * table.column("average_order_value").to_numpy()


def with_column(table, name, values):
    return table.set_column(table.column_names.index(name), name, values)


@pytest.fixture(scope="module")
def fitted():
    found = fit_uplift(campaign())
    assert isinstance(found, Uplift)
    return found


@pytest.fixture(scope="module")
def new_customers():
    return customers(3_000, seed=99)


@pytest.fixture(scope="module")
def fitted_without_effect():
    """From a dozen histories in which contacting changed nothing."""
    return [fit_uplift(campaign(1_200, seed, nobody_cares)) for seed in range(12)]


@pytest.fixture(scope="module")
def fitted_to_ten():
    """To ten histories, each of the same shop."""
    return [fit_uplift(campaign(2_000, seed)) for seed in range(100, 110)]


def test_it_finds_who_responds(fitted, new_customers):
    profit = fitted.expected_profit(new_customers, 1.0, FREE, 30).mean
    responds = effect(new_customers) > 0
    first_half = np.argsort(-profit)[: responds.sum()]
    assert responds[first_half].mean() > 0.85
    assert profit.mean() == pytest.approx(true_profit(new_customers).mean(), rel=0.35)
    assert fitted.beats_random
    assert "beat chance by +" in fitted.why


def test_the_interval_holds_the_effect(fitted_to_ten, new_customers):
    """Over several histories, of nearly so many customers as it says."""
    inside = []
    for fitted in fitted_to_ten:
        estimate = fitted.expected_profit(new_customers, 1.0, FREE, 30)
        inside.append((estimate.low <= true_profit(new_customers)) & (true_profit(new_customers) <= estimate.high))
        assert (estimate.low < estimate.mean).all()
        assert (estimate.mean < estimate.high).all()
    assert 0.82 < np.mean(inside) < 0.98


def test_more_history_narrows_the_interval(fitted_to_ten, new_customers):
    """On average over histories: how far each candidate is followed differs from one to the next."""

    def width(several):
        found = [fitted.expected_profit(new_customers, 1.0, FREE, 30) for fitted in several]
        return np.mean([(estimate.high - estimate.low).mean() for estimate in found])

    assert width(fit_uplift(campaign(8_000, seed)) for seed in (4, 5, 6)) < 0.75 * width(fitted_to_ten)


def test_where_there_is_no_effect_it_says_so(fitted_without_effect):
    assert sum(uplift.beats_random for uplift in fitted_without_effect) <= 2
    useless = next(uplift for uplift in fitted_without_effect if not uplift.beats_random)
    assert "did not clearly beat chance" in useless.why


def test_the_profit_of_a_list_is_what_past_targets_of_its_places_brought(fitted_to_ten, new_customers):
    """Of the best fifth and of everybody, over several histories: it is not too high because the list was chosen."""
    held, off = [], []
    for fitted in fitted_to_ten:
        ranked = np.argsort(-fitted.expected_profit(new_customers, 1.0, FREE, 30).mean)
        for rows in (ranked[:600], ranked):
            promised = fitted.profit_of_list(new_customers.take(pa.array(rows)), 1.0, FREE, 30)
            true = true_profit(new_customers)[rows].sum()
            held.append(promised.low <= true <= promised.high)
            off.append(promised.mean / true - 1)
    assert np.mean(held) >= 0.75
    assert abs(np.mean(off)) < 0.2


def test_a_harmful_mail_is_expected_to_lose_whoever_gets_it(new_customers):
    harm = fit_uplift(campaign(4_000, 3, lambda table: np.full(table.num_rows, -0.08)))
    assert harm.profit_of_list(new_customers, 1.0, FREE, 30).high < 0


def test_the_costs_of_the_offer_come_off_the_profit_of_a_list(fitted, new_customers):
    free = fitted.profit_of_list(new_customers, 1.0, FREE, 30).mean
    paid = fitted.profit_of_list(new_customers, 1.0, Offer(text="x", cost_per_contact=0.5), 30).mean
    assert paid == pytest.approx(free - 0.5 * new_customers.num_rows, abs=1)


def test_arms_are_drawn_again_within_the_strata_in_which_they_were_drawn():
    """Who was treated with 85 % buys more often anyway: drawn again over all customers, that would be an effect."""

    def share(table):
        return np.where(base_rate(table) > 0.15, 0.85, 0.3)

    histories = [PastTargets.of(campaign(1_200, seed, nobody_cares, share)) for seed in range(20, 50)]
    p = [randomisation_p(past, np.random.default_rng(seed)) for seed, past in enumerate(histories)]
    assert np.mean(p) > 0.35
    assert sum(value <= 0.05 for value in p) <= 4


def test_that_likely_buyers_gain_more_is_believed_sooner_than_that_they_gain_less():
    """With the arms exchanged, each history says the opposite as clearly."""
    gains_more, gains_less = [], []
    for seed in range(6):
        history = campaign(1_500, seed, lambda table: 0.8 * base_rate(table))
        exchanged = np.where(history.column("arm").to_numpy() == "treated", "holdout", "treated")
        for table, p in ((history, gains_more), (with_column(history, "arm", pa.array(exchanged)), gains_less)):
            p.append(randomisation_p(PastTargets.of(table), np.random.default_rng(seed)))
    assert np.mean(gains_more) < 0.8 * np.mean(gains_less)


def test_churn_risk_is_not_taken_for_an_effect():
    """Whoever is likelier to stay away is not likelier to be moved by a message."""
    found = fit_uplift(campaign(8_000, 3, lambda table: np.full(table.num_rows, 0.08)))
    new_customers = customers(3_000, seed=98)
    orders = new_customers.column("average_order_value").to_numpy()
    moved = found.expected_profit(new_customers, 1.0, FREE, 30).mean / orders
    risk = new_customers.column("churn_probability").to_numpy()
    assert abs(moved[risk > 0.6].mean() - moved[risk < 0.4].mean()) < 0.03


@pytest.mark.parametrize("share", [0.2, 0.8])
def test_unequal_arms_do_not_bias(share, new_customers):
    mean = fit_uplift(campaign(8_000, 4, share=share)).expected_profit(new_customers, 1.0, FREE, 30).mean
    assert mean.mean() == pytest.approx(true_profit(new_customers).mean(), rel=0.35)


def test_contacting_the_loyal_more_often_does_not_look_like_an_effect(new_customers):
    """Half of the customers had a chance of 85 %, and these buy more often anyway."""
    likely = fit_uplift(
        campaign(8_000, 5, nobody_cares, lambda table: np.where(base_rate(table) > 0.15, 0.85, 0.3))
    ).expected_profit(new_customers, 1.0, FREE, 30)
    assert abs(likely.mean.mean()) < 0.25 * true_profit(new_customers).mean()


def test_campaigns_with_other_shares_are_pooled(new_customers):
    """In one campaign nobody buys and most were contacted: pooled without weights, contacting would seem to harm."""
    quiet = campaign(4_000, 6, nobody_cares, 0.9, "quiet")
    quiet = with_column(quiet, "purchased", pa.array(np.zeros(4_000, bool)))
    quiet = with_column(quiet, "spend", pa.array(np.zeros(4_000)))
    pooled = fit_uplift(pa.concat_tables([campaign(4_000, 6, name="loud"), quiet]))
    assert pooled.expected_profit(new_customers, 1.0, FREE, 30).mean.mean() == pytest.approx(
        true_profit(new_customers).mean() / 2, rel=0.4
    )


def test_who_had_no_chance_of_the_other_arm_teaches_nothing(fitted, new_customers):
    certain = campaign(2_000, 7, share=1.0, name="everybody")
    never = with_column(campaign(2_000, 8, name="z"), "arm", pa.array(["global_holdout"] * 2_000))
    more = fit_uplift(pa.concat_tables([campaign(), certain, never]))
    assert more.targets == fitted.targets
    assert more.expected_profit(new_customers, 1.0, FREE, 30).mean == pytest.approx(
        fitted.expected_profit(new_customers, 1.0, FREE, 30).mean
    )


def test_costs_are_those_of_the_offer(fitted, new_customers):
    def profit(contact, redemption, margin=0.4):
        offer = Offer(text="x", cost_per_contact=contact, cost_per_redemption=redemption)
        return fitted.expected_profit(new_customers, margin, offer, 30).mean

    free = profit(0, 0)
    assert profit(0.5, 0) == pytest.approx(free - 0.5)
    assert profit(0, 0, 0.8) == pytest.approx(2 * free)
    chance = (free - profit(0, 4)) / 4
    assert chance.mean() == pytest.approx((base_rate(new_customers) + effect(new_customers)).mean(), abs=0.03)
    assert ((chance > 0) & (chance < 1)).all()


def test_gaps_and_unseen_channels_are_fine(new_customers):
    history = campaign()
    for name in COVARIATES:
        gaps = np.random.default_rng(1).random(history.num_rows) < 0.2
        history = with_column(history, name, pa.array(history.column(name).to_numpy(), mask=gaps))
    channel = np.array(history.column("channel").to_pylist(), dtype=object)
    channel[::5] = None
    history = with_column(history, "channel", pa.array(channel))
    found = fit_uplift(history)
    strange = with_column(new_customers, "channel", pa.array([None, "billboard", "social"] * 1_000))
    for name in COVARIATES:
        strange = with_column(strange, name, pa.array([None, 1e12, np.nan] * 1_000, pa.float64()))
    estimate = found.expected_profit(strange, 1.0, FREE, 30)
    assert all(np.isfinite(values).all() for values in (estimate.mean, estimate.low, estimate.high))


def test_a_covariate_that_nobody_has_is_fine(new_customers):
    nothing = pa.nulls(4_000, pa.float64())
    found = fit_uplift(
        with_column(with_column(campaign(), "churn_probability", nothing), "average_order_value", nothing)
    )
    assert np.isfinite(found.expected_profit(new_customers, 1.0, FREE, 30).mean).all()


def test_a_window_that_was_never_tried_counts_as_the_nearest(fitted, new_customers):
    assert np.array_equal(*(fitted.expected_profit(new_customers, 1.0, FREE, days).mean for days in (30, 90)))


def test_the_same_history_in_any_order_teaches_the_same(fitted, new_customers):
    history = campaign()
    shuffled = history.take(np.random.default_rng(0).permutation(history.num_rows))
    again = fit_uplift(shuffled)
    assert np.array_equal(*(u.expected_profit(new_customers, 1.0, FREE, 30).mean for u in (fitted, again)))
    assert dataclasses.astuple(again.gain_over_chance) == dataclasses.astuple(fitted.gain_over_chance)
    assert again.p == fitted.p


def test_a_customer_gets_the_same_estimate_alone(fitted, new_customers):
    """And in a table of more rows than are worked on at once."""
    alone = fitted.expected_profit(new_customers.slice(17, 1), 1.0, FREE, 30)
    many = fitted.expected_profit(pa.concat_tables([new_customers] * 40), 1.0, FREE, 30)
    for field in ("mean", "low", "high"):
        assert getattr(many, field)[39 * 3_000 + 17] == pytest.approx(getattr(alone, field)[0])
    assert len(fitted.expected_profit(new_customers.slice(0, 0), 1.0, FREE, 30).mean) == 0


@pytest.mark.parametrize(
    ("history", "message"),
    [
        (campaign(0), "No campaign with a holdout"),
        (campaign(300), "were contacted by chance"),
        (campaign(2_000, share=0.95), "were in the control group by chance"),
        (campaign(2_000, share=1.0), "No campaign with a holdout"),
        (with_column(campaign(2_000), "purchased", pa.array([False] * 2_000)), "0 of the"),
    ],
)
def test_too_little_data_is_reported_with_what_is_missing(history, message):
    found = fit_uplift(history)
    assert isinstance(found, InsufficientData)
    assert message in found.why
