"""How far what past campaigns changed is expected of another offer, or another season."""

import re
from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from flows.campaigns.offer import Offer
from flows.campaigns.transfer import AS_LEARNT, comparable
from flows.campaigns.uplift import fit_uplift
from tests.examples.campaign_worlds import BY_NAME, history, shop

SPRING = date(2026, 4, 1)
EVERYBODY = BY_NAME["everybody +3 points"]


def past(offer, n=3_000, launched_on=SPRING, name="first", seed=1):
    targets = history(EVERYBODY, n, np.random.default_rng(seed))
    sent = {
        "offer_text": pa.array([offer.text] * n, pa.string()),
        "offer_kind": pa.array([offer.kind] * n, pa.string()),
        "offer_value": pa.array([offer.value] * n, pa.float64()),
        "launched_on": pa.array([launched_on] * n, pa.date32()),
        "campaign": pa.array([name] * n),
    }
    for column, values in sent.items():
        where = targets.schema.get_field_index(column)
        targets = targets.append_column(column, values) if where < 0 else targets.set_column(where, column, values)
    return targets


def off(value):
    return Offer(text=f"{value} € off", kind="amount_off", value=value)


def test_the_same_offer_is_expected_to_change_what_it_changed():
    for again in (off(5.0), off(6.0), Offer(text="Five euros for you", kind="amount_off", value=5.0)):
        learnt, transfer = comparable(past(off(5.0)), again, SPRING)
        assert len(learnt) == 3_000
        assert transfer == AS_LEARNT


def test_without_any_past_there_is_nothing_to_compare():
    assert comparable(past(off(5.0)).slice(0, 0), off(20.0), SPRING)[1] == AS_LEARNT


def test_a_weaker_offer_is_expected_to_change_as_much_less_as_it_is_worth_less():
    _, transfer = comparable(past(off(20.0)), off(5.0), SPRING)
    assert (transfer.expected, transfer.lowest, transfer.highest) == (0.25, 0.0, 1.0)
    difference = transfer.differences[0].text
    assert len(transfer.differences) == 1
    assert "learnt from amount_off 20, and this one is amount_off 5: this one is worth 25% of that" in difference


def test_a_stronger_offer_is_expected_to_change_no_more_than_was_seen():
    _, transfer = comparable(past(off(5.0)), off(20.0), SPRING)
    assert (transfer.expected, transfer.lowest, transfer.highest) == (1.0, 0.0, 4.0)


@pytest.mark.parametrize(
    ("before", "now", "says"),
    [
        (off(5.0), Offer(text="news", kind="message"), "learnt from amount_off 5, and this one is message"),
        (Offer(text="old"), off(5.0), "learnt from ‘old’, and this one is amount_off 5.*describe offers by `kind`"),
        (Offer(text="old"), Offer(text="new"), "learnt from ‘old’, and this one is ‘new’.*describe offers by `kind`"),
    ],
)
def test_an_offer_that_cannot_be_compared_may_change_nothing_at_all(before, now, says):
    _, transfer = comparable(past(before), now, SPRING)
    assert (transfer.expected, transfer.lowest, transfer.highest) == (1.0, 0.0, 1.0)
    difference = transfer.differences[0].text
    assert len(transfer.differences) == 1
    assert re.search(says, difference)


def test_an_offer_that_is_not_described_is_the_same_where_its_text_is():
    assert comparable(past(Offer(text="old")), Offer(text="old"), SPRING)[1] == AS_LEARNT


def test_an_offer_with_enough_targets_of_its_own_is_learnt_from_these_alone():
    both = pa.concat_tables([past(off(20.0), name="strong"), past(off(5.0), name="weak", seed=2)])
    learnt, transfer = comparable(both, off(5.0), SPRING)
    assert set(learnt["campaign"].to_pylist()) == {"weak"}
    assert transfer == AS_LEARNT


def test_an_offer_with_too_few_targets_of_its_own_is_learnt_from_all():
    both = pa.concat_tables([past(off(20.0), name="strong"), past(off(5.0), 300, name="weak", seed=2)])
    learnt, transfer = comparable(both, off(5.0), SPRING)
    assert len(learnt) == 3_300
    assert transfer.expected == pytest.approx(5 / (20 * 3_000 / 3_300 + 5 * 300 / 3_300))
    assert "amount_off 20 and amount_off 5" in transfer.differences[0].text


def test_another_season_is_named():
    _, transfer = comparable(past(off(5.0), launched_on=date(2025, 11, 15)), off(5.0), date(2026, 2, 20))
    assert transfer.expected == 1.0
    assert "learnt in November 2025, and this one starts in February" in transfer.differences[0].text
    assert not comparable(past(off(5.0), launched_on=date(2025, 12, 20)), off(5.0), date(2026, 1, 5))[1].differences


def test_a_promise_is_as_wide_as_it_is_uncertain_how_far_the_effect_carries_over():
    """From the cost if nothing changes to what the stronger offer brought."""
    fitted = fit_uplift(past(off(20.0), 4_000))
    customers = shop(2_000, np.random.default_rng(3))
    offer = Offer(text="5 € off", cost_per_contact=0.2)
    _, transfer = comparable(past(off(20.0)), off(5.0), SPRING)
    as_it_was = fitted.profit_of_list(customers, 0.4, offer, 30)
    weaker = replace(fitted, transfer=transfer).profit_of_list(customers, 0.4, offer, 30)
    assert weaker.mean == pytest.approx(0.25 * as_it_was.mean - 0.75 * 0.2 * 2_000, abs=30)
    assert weaker.low <= -0.2 * 2_000
    assert weaker.high == pytest.approx(as_it_was.high, abs=30)
    of_each = replace(fitted, transfer=transfer).expected_profit(customers, 0.4, offer, 30)
    before = fitted.expected_profit(customers, 0.4, offer, 30)
    assert of_each.mean == pytest.approx(0.25 * before.mean - 0.75 * 0.2)
    assert of_each.chance_if_contacted.mean() < before.chance_if_contacted.mean()
