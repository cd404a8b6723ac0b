"""`churn campaign preview FILE`: what a campaign would do; `launch` freezes it and sends the treated to its destination

What is launched does not change. Launching again continues where it was interrupted: nobody is sent twice and nobody
changes arms."""

import logging
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from flows.adapters.dashboard.contact_list import write_contact_list
from flows.adapters.dashboard.phrases import in_french
from flows.adapters.marts.buyers import read_buyers, with_bought
from flows.adapters.marts.campaign_results import read_history, read_result
from flows.adapters.marts.campaign_sends import count_sends, read_control_group, read_treated, record_sends
from flows.adapters.marts.campaign_tables import (
    Launched,
    find_launched,
    freeze,
    read_as_of,
    read_candidates,
    read_names,
    read_segments,
    read_share_in_window,
)
from flows.adapters.marts.customer_traits import read_languages, with_language, with_traits
from flows.adapters.marts.promises import read_track_record
from flows.campaigns.audience import screen_eligibility
from flows.campaigns.choice import Fitted, horizon_at_pace
from flows.campaigns.definition import Campaign, read_campaign
from flows.campaigns.targeting import Plan, plan
from flows.campaigns.transfer import comparable
from flows.campaigns.uplift import InsufficientData, Uplift, fit_uplift
from flows.campaigns.variants import fit_variants
from flows.campaigns.warnings import LaunchRefused, PlanWarning
from flows.console.campaign_summary import CampaignRun
from flows.errors import BadInput, SettingsError
from flows.orchestration import flow, task, waits_for_warehouse
from flows.ports.destination import CONTACT_SCHEMA, Destination, SendRequest, control_group_of, results, variant_of
from flows.ports.warehouse import Warehouse
from flows.settings import SIMULATED_SHOP, Settings
from flows.steps.opt_outs import pass_on_opt_outs
from flows.wiring import Wiring, destination, wire
from functions.clock import now

log = logging.getLogger(__name__)


@flow(name="campaign")
def campaign(settings: Settings, file: Path, launches: bool = False) -> CampaignRun:
    """Reads a campaign, plans it on the last run's marts and, if it `launches`, freezes it and sends the treated.

    Raises:
        SettingsError: when there is no such file.
        BadInput: when the file does not fit, its audience is empty, its budget pays for nobody, another campaign of
            its name was launched, it is launched on old data, or it is for advertising and nobody consents to that.
    """
    wiring = wire(settings)
    warehouse = wiring.warehouse
    campaign = read_file(wiring, file)
    launched = find_launched(warehouse, campaign)
    old = why_too_old(warehouse, settings.stop_sending_after_days)
    planned = None if launched else plan_campaign(wiring, campaign, settings.global_holdout)
    if planned and old:
        planned = replace(planned, warnings=[*planned.warnings, old])
    if launches and old:
        raise LaunchRefused(f"{campaign.name} is not sent: {old}", old)
    if planned and launches:
        launched = launch(warehouse, settings, planned)
    suppressed_in = None
    if launched and launches:
        to = destination(settings, campaign.destination)
        pass_on_opt_outs(warehouse, to)
        suppressed_in = suppress_control_group(warehouse, to, campaign, launched)
        send_treated(warehouse, to, campaign, launched)
    file = settings.campaigns_folder / campaign.name / f"{campaign.destination}.csv"
    run = look_back(warehouse, campaign, planned, launched)
    return replace(run, file=file if file.is_file() else None, suppressed_in=suppressed_in)


def preview(wiring: Wiring, text: str, global_holdout: float, stop_sending_after_days: int) -> Plan:
    """What the campaign of a YAML text would do. It is no flow: nothing is launched, and nothing is reported.

    Raises:
        BadInput: as `campaign`, and when it was launched already.
    """
    campaign = _read(wiring, text, "the definition")
    if launched := find_launched(wiring.warehouse, campaign):
        raise BadInput(f"{campaign.name} was launched on {launched.launched_on}: there is nothing to preview any more.")
    planned = plan_campaign.fn(wiring, campaign, global_holdout)
    old = why_too_old.fn(wiring.warehouse, stop_sending_after_days)
    return replace(planned, warnings=[*planned.warnings, old]) if old else planned


@task(retry=waits_for_warehouse)
def read_file(wiring: Wiring, file: Path) -> Campaign:
    if not file.is_file():
        raise SettingsError(f"There is no file {file}: name the YAML file of a campaign. docs/campaigns.md shows one.")
    read_as_of(wiring.warehouse)  # there are marts
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise BadInput(f"{file}, line {line}: this is not UTF-8. Save the file in that encoding.") from None
    return _read(wiring, text, str(file))


def _read(wiring: Wiring, text: str, file: str) -> Campaign:
    warehouse = wiring.warehouse
    segments = read_segments(warehouse)
    languages = sorted(set(read_languages(warehouse, wiring.connections)["language"].to_pylist()))
    others = read_names(warehouse) | {"languages": tuple(languages)}
    return read_campaign(text, file, segments, others, in_french(segments))


def candidates_of(wiring: Wiring, campaign: Campaign, as_of: date) -> pa.Table:
    """Every customer, with what the campaign's audience asks for."""
    candidates = read_candidates(wiring.warehouse, campaign, as_of)
    if bought := campaign.audience.bought:
        candidates = with_bought(read_buyers(wiring.warehouse, wiring.connections, bought, as_of), candidates)
    if not campaign.audience.languages:
        return candidates
    return with_language(read_languages(wiring.warehouse, wiring.connections), candidates)


@task(retry=waits_for_warehouse)
def why_too_old(warehouse: Warehouse, stop_sending_after_days: int) -> PlanWarning | None:
    """Why nothing may be sent on the last run, which may be older than that by no day: consent is as old as it. None of
    a simulated shop, whose last run may be as of any day."""
    started_at = now()
    as_of, _ = read_as_of(warehouse)
    age = (started_at.date() - as_of).days
    if _is_simulated(warehouse) or age <= stop_sending_after_days:
        return None
    text = (
        f"the last run is as of {as_of}, {age:,} days ago, and nothing is sent on data of more than"
        f" {stop_sending_after_days} days ago (STOP_SENDING_AFTER_DAYS): bring in newer orders and `make run` first"
    )
    return PlanWarning("too_old", text, {"as_of": as_of, "age_days": age, "max_age_days": stop_sending_after_days})


@task(retry=waits_for_warehouse)
def plan_campaign(wiring: Wiring, campaign: Campaign, global_holdout: float) -> Plan:
    """Screens the audience, fits a model to earlier campaigns, and chooses customers for the budget."""
    warehouse = wiring.warehouse
    with warehouse.held_open():  # not while the model is fitted: others may write then
        as_of, horizon_days = read_as_of(warehouse)
        history = read_history(warehouse, as_of)
        share = read_share_in_window(warehouse, as_of, campaign.window_days, horizon_days)
        candidates = with_traits(warehouse, wiring.connections, candidates_of(wiring, campaign, as_of), as_of)
    screened = screen_eligibility(candidates, campaign, global_holdout)
    log.info("fitting to campaigns whose window has ended")
    fitted = _fit(history, campaign, as_of)
    record = read_track_record(warehouse, as_of, _currency(candidates))
    horizon = horizon_at_pace(candidates, share, campaign.window_days, horizon_days)
    planned = plan(campaign, screened, fitted, as_of, horizon, record)
    return replace(planned, global_holdout=global_holdout)


def _fit(history: pa.Table, campaign: Campaign, as_of: date) -> Fitted | InsufficientData:
    if campaign.variants:
        return fit_variants(history, campaign)
    history, transfer = comparable(history, campaign.offer, as_of)
    fitted = fit_uplift(history)
    return replace(fitted, transfer=transfer) if isinstance(fitted, Uplift) else fitted


@task(retry=waits_for_warehouse)
def launch(warehouse: Warehouse, settings: Settings, planned: Plan) -> Launched:
    """Freezes the campaign, after its destination has been checked.

    Raises:
        BadInput: when its window would have ended by now, because the last run is so old, or when it is expected to
            lose and not meant to.
    """
    started_at = now()
    campaign = planned.campaign
    if launched := find_launched(warehouse, campaign):  # by an earlier attempt of this task whose response was lost
        return launched
    if not _is_simulated(warehouse) and planned.window_ends_on < started_at.date():
        raise BadInput(
            f"{campaign.name} would be launched as of {planned.launched_on}, the day of the last run, and its window"
            f" would have ended on {planned.window_ends_on}. Bring in newer orders and `make run` first."
        )
    if planned.is_expected_to_lose and not campaign.to_learn:
        [loses] = [warning for warning in planned.warnings if warning.code == "expected_to_lose"]
        raise LaunchRefused(
            f"{campaign.name} is expected to lose money by what past campaigns changed: contact nobody. To spend that"
            " on learning, write this line into its file:\nto_learn: true",
            loses,
        )
    lists = [campaign.name, *(variant_of(campaign.name, variant) for variant in campaign.offers)]
    for name in (*lists, *([control_group_of(campaign.name)] if campaign.holdout else [])):
        destination(settings, campaign.destination).check(SendRequest(name, CONTACT_SCHEMA.empty_table()))
    log.info("freezing %s: arms do not change any more", campaign.name)
    launched = freeze(warehouse, planned, started_at)
    write_contact_list(warehouse, settings.contacts_file, settings.show_pii)  # without its targets
    return launched


@task
def suppress_control_group(warehouse: Warehouse, to: Destination, campaign: Campaign, launched: Launched) -> str | None:
    """Lists the control group at the destination before anybody is sent: its other messages must leave them out, too.
    Returns where; None where there is none, or the window has ended."""
    if read_as_of(warehouse)[0] >= launched.window_ends_on:
        return None
    people = read_control_group(warehouse, campaign.name, campaign.destination)
    is_resumed = "sent" in count_sends(warehouse, campaign.name)
    return to.suppress(SendRequest(campaign.name, people, is_resumed=is_resumed)) if len(people) else None


@task
def send_treated(warehouse: Warehouse, to: Destination, campaign: Campaign, launched: Launched) -> None:
    """Sends the customers that the destination has not received yet; consent is checked again.

    Raises:
        BadInput: when the window has ended.
    """
    started_at = now()
    as_of, _ = read_as_of(warehouse)
    if as_of >= launched.window_ends_on:
        raise BadInput(
            f"The window of {campaign.name} ended on {launched.window_ends_on}: customers contacted now would be"
            " measured as if it were in time. Write a new campaign."
        )
    treated, contacted_on = read_treated(warehouse, campaign.name, to.name), as_of + timedelta(days=1)
    unsent = treated.filter(
        pc.invert(treated["is_sent"])
    )  # customers who were sent have been contacted, whatever comes later
    refused = unsent.filter(pc.invert(unsent["may_be_contacted"]))
    record_sends(
        warehouse,
        campaign.name,
        to.name,
        results(refused["customer_id"], "opted_out", "since the launch"),
        contacted_on,
        started_at,
    )
    people = treated if to.is_full_refresh else unsent
    people = people.filter(people["may_be_contacted"])
    texts = {None: campaign.offer.text} | {name: offer.text for name, offer in campaign.offers.items()}
    offers = [texts[variant] for variant in people["variant"].to_pylist()]
    people = people.append_column("offer", pa.array(offers, pa.string()))
    log.info("sending %s customers to %s", f"{len(people):,}", to.name)
    members = frozenset(treated["email"].drop_null().to_pylist())
    done = 0
    is_resumed = len(unsent) < len(treated)
    for batch in to.send(SendRequest(campaign.name, people.select(CONTACT_SCHEMA.names), members, is_resumed)):
        news = batch.filter(pc.is_in(batch["customer_id"], unsent["customer_id"].combine_chunks()))
        record_sends(warehouse, campaign.name, to.name, news, contacted_on, started_at)
        done += len(batch)
        log.info("%s of %s done", f"{done:,}", f"{len(people):,}")


@task(retry=waits_for_warehouse)
def look_back(warehouse: Warehouse, campaign: Campaign, planned: Plan | None, launched: Launched | None) -> CampaignRun:
    """The state of the campaign."""
    sent = count_sends(warehouse, campaign.name)
    waiting = 0
    if launched and read_as_of(warehouse)[0] < launched.window_ends_on:
        treated = read_treated(warehouse, campaign.name, campaign.destination)
        waiting = len(treated.filter(pc.and_not(treated["may_be_contacted"], treated["is_sent"])))
    result = read_result(warehouse, campaign.name, read_as_of(warehouse)[0]) if launched else None
    return CampaignRun(warehouse.current_shop() or "", campaign, planned, launched, sent, waiting, result=result)


def _currency(candidates: pa.Table) -> str | None:
    return candidates["currency"][0].as_py() if len(candidates) else None


def _is_simulated(warehouse: Warehouse) -> bool:
    """Whether the shop is simulated: then its last run may be as of any day."""
    return (warehouse.current_shop() or "").startswith(SIMULATED_SHOP)
