"""What campaigns changed: a step of every run. Figures of a campaign are withheld until its window has ended."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flows.adapters.marts import global_holdout
from flows.adapters.marts.campaign_results import read_outcomes, read_to_measure, read_variants, store_results
from flows.adapters.marts.staged_orders import AsOf
from flows.campaigns.measurement import WHOLE_CAMPAIGN, Outcomes, measure, measure_variant, variant_row
from flows.campaigns.offer import Offer
from flows.campaigns.together import Period, effect_of_all
from flows.campaigns.variants import to_measure
from flows.orchestration import task, waits_for_warehouse
from flows.ports.warehouse import Warehouse

log = logging.getLogger(__name__)


@task(retry=waits_for_warehouse)
def measure_campaigns(warehouse: Warehouse, as_of: AsOf) -> None:
    """Measures every campaign whose window has ended, into marts.campaign_results."""
    for campaign in read_to_measure(warehouse, as_of.date):
        if campaign["currency"] != as_of.currency:
            log.warning(
                "%s was launched in %s and is not measured in a run in %s",
                campaign["campaign"], campaign["currency"], as_of.currency,
            )  # fmt: skip
            continue
        targets = read_outcomes(warehouse, campaign["campaign"])
        if not len(targets):
            log.warning("%s is not measured: none of its customers are left", campaign["campaign"])
            continue
        planned_arm_sizes = campaign["treated"], campaign["held_out"]
        effects = list(measure(Outcomes.from_table(targets, campaign["margin"], planned_arm_sizes)))
        offers = read_variants(campaign)
        for variant in offers:
            of_variant = Outcomes.from_table(to_measure(variant, targets), campaign["margin"], None)
            if len(of_variant):
                effects.append(measure_variant(variant, of_variant, len(offers)))
        of_segments = _contacted(targets, campaign, offers)
        store_results(warehouse, campaign, effects, of_segments)
        whole, (contacted, _) = effects[0], of_segments[WHOLE_CAMPAIGN]
        if contacted < 0.9 * whole.treated:
            log.warning(
                "%s: only %s of %s treated were contacted, which makes its effect look smaller",
                campaign["campaign"], f"{contacted:,}", f"{whole.treated:,}",
            )  # fmt: skip
        log.info(
            "measured %s: %.1f %% of the treated bought, %.1f %% of the control group",
            campaign["campaign"], 100 * whole.treated_rate, 100 * whole.held_out_rate,
        )  # fmt: skip
        if whole.is_sample_ratio_off:
            log.warning(
                "%s: the arms (%s treated, %s control) are not as they were drawn: do not trust its figures",
                campaign["campaign"], f"{whole.treated:,}", f"{whole.held_out:,}",
            )  # fmt: skip


@task(retry=waits_for_warehouse)
def measure_together(warehouse: Warehouse, as_of: AsOf) -> None:
    """Measures once a quarter what all campaigns changed together, into marts.global_holdout_results; nothing where no
    campaign was launched with a global holdout."""
    first = global_holdout.read_first_launch(warehouse, as_of.date, as_of.currency)
    period = None if first is None else Period.of(first, as_of.date)
    if period is None or global_holdout.is_measured(warehouse, period):
        return
    campaigns = global_holdout.read_campaigns_of(warehouse, period, as_of.currency)
    if not campaigns.shares[0]:
        return
    effect = effect_of_all(global_holdout.read_period(warehouse, period), campaigns.shares)
    if effect is None:
        return
    global_holdout.store_effect(warehouse, period, campaigns, effect, as_of.currency)
    log.info(
        "measured all campaigns until %s: %.1f %% of the customers bought, %.1f %% of the global holdout",
        period.ends_on, 100 * effect.customer_rate, 100 * effect.held_out_rate,
    )  # fmt: skip


def _contacted(
    targets: pa.Table, campaign: Mapping[str, Any], offers: Mapping[str, Offer]
) -> dict[str, tuple[int, float]]:
    """By segment, by variant and in total: how many were contacted, and what that cost."""
    contacted = targets.filter(pc.and_(targets["is_contacted"], pc.equal(targets["arm"], "treated")))
    bought, segment = contacted["purchased"].to_numpy(), contacted["segment"].to_numpy()
    costs = campaign["cost_per_contact"] + campaign["cost_per_redemption"] * bought
    groups = {name: segment == name for name in set(segment)} | {WHOLE_CAMPAIGN: np.ones(len(segment), dtype=bool)}
    for name, offer in offers.items():
        groups[variant_row(name)] = own = contacted["variant"].to_numpy() == name
        costs = np.where(own, offer.cost(bought), costs)
    return {name: (int(own.sum()), float(costs[own].sum())) for name, own in groups.items()}
