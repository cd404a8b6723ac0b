"""`churn campaign plan FILE`: what the next three campaigns to an audience could show. It writes and sends nothing."""

from pathlib import Path

import numpy as np

from flows.adapters.marts.campaign_results import read_effects
from flows.adapters.marts.campaign_tables import read_as_of, read_share_in_window
from flows.campaigns.audience import screen_eligibility
from flows.campaigns.choice import horizon_at_pace
from flows.campaigns.covariates import numbers
from flows.campaigns.definition import Campaign
from flows.campaigns.outlook import Eligible, Outlook, look_ahead, windows_of
from flows.console.campaign_outlook import OutlookRun
from flows.errors import BadInput
from flows.flow.campaign import candidates_of, read_file
from flows.orchestration import flow, task, waits_for_warehouse
from flows.settings import Settings
from flows.wiring import Wiring, wire


@flow(name="campaign-plan")
def campaign_plan(settings: Settings, file: Path) -> OutlookRun:
    """Plans three campaigns with the audience, offer, margin and budget of a file.

    Raises:
        SettingsError: when there is no such file.
        BadInput: when the file does not fit, or nobody of its audience may be contacted.
    """
    wiring = wire(settings)
    campaign = read_file(wiring, file)
    found = look(wiring, campaign, settings.global_holdout)
    return OutlookRun(wiring.warehouse.current_shop() or "", campaign, *found)


@task(retry=waits_for_warehouse)
def look(wiring: Wiring, campaign: Campaign, global_holdout: float) -> tuple[Outlook, int, str | None]:
    """The outlook, the number of customers who may be contacted today, and their currency."""
    warehouse = wiring.warehouse
    as_of, horizon_days = read_as_of(warehouse)
    candidates = candidates_of(wiring, campaign, as_of)
    people = screen_eligibility(candidates, campaign, global_holdout).eligible
    if not len(people):
        raise BadInput(f"{campaign.name}: nobody of this audience may be contacted as of {as_of}.")
    chance, spend = 1 - numbers(people, "churn_probability"), numbers(people, "spend_last_period")
    unscored = float((spend > 0).mean())
    orders = numbers(people, "average_order_value")
    shares = {days: read_share_in_window(warehouse, as_of, days, horizon_days) for days in windows_of(campaign)}
    horizons = {days: horizon_at_pace(candidates, share, days, horizon_days) for days, share in shares.items()}
    eligible = Eligible(np.nan_to_num(chance, nan=unscored), spend, orders, horizon_days, horizons)
    currency = people["currency"][0].as_py()
    return look_ahead(campaign, eligible, as_of, read_effects(warehouse, as_of, currency)), len(people), currency
