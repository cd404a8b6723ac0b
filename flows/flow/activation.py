"""`make activate DESTINATION=…`, and a step of the daily run: sends every customer's segment, risk and reason to a
destination. It needs no campaign and disturbs none: nobody who is in one is sent."""

import logging
from collections import Counter
from typing import get_args

import pyarrow as pa
import pyarrow.compute as pc

from flows.adapters.marts.campaign_tables import read_as_of
from flows.adapters.marts.segment_activations import read_people, record_activations
from flows.campaigns.advertising import CONSENTS, count_consents, is_advertising, require_consent
from flows.campaigns.assignment import in_global_holdout
from flows.errors import SettingsError
from flows.orchestration import flow, task
from flows.ports.destination import CONTACT_SCHEMA, SendRequest
from flows.settings import DestinationName, Settings
from flows.steps.opt_outs import pass_on_opt_outs
from flows.wiring import destination, wire
from functions.clock import now

log = logging.getLogger(__name__)


@flow(name="activation")
def activation(settings: Settings) -> None:
    """Sends the results of the last run.

    Raises:
        SettingsError: when no destination is set.
    """
    if settings.destination is None:
        raise SettingsError(f"DESTINATION is not set: name one of {', '.join(get_args(DestinationName))}.")
    activate_segments(settings)


@task
def activate_segments(settings: Settings) -> None:
    """Sends the customers who have changed since they were last sent, if DESTINATION is set.

    Raises:
        BadInput: when it is for advertising and nobody is known to consent to that.
        PipelineError: when the destination cannot go on; what it has received is recorded, and the next run continues.
    """
    if settings.destination is None:
        return
    started_at = now()
    warehouse, to = wire(settings).warehouse, destination(settings, settings.destination)
    read_as_of(warehouse)  # there are marts
    pass_on_opt_outs(warehouse, to)
    people = _who_consent(read_people(warehouse, to.name), to.name)
    people = _without_global_holdout(people, settings.global_holdout)
    if not to.is_full_refresh:
        people = people.filter(pc.invert(people["is_sent"]))
    log.info("sending the segments of %s customers to %s", f"{len(people):,}", to.name)
    results: Counter[str] = Counter()
    for batch in to.send(SendRequest(None, people.select(CONTACT_SCHEMA.names))):
        record_activations(warehouse, to.name, people, batch, started_at)
        results.update(batch["result"].to_pylist())
    log.info("%s", ", ".join(f"{count:,} {result.replace('_', ' ')}" for result, count in results.items()) or "nobody")


def _who_consent(people: pa.Table, destination: str) -> pa.Table:
    """All of them; of a destination for advertising those who are known to consent to it."""
    if not is_advertising(destination):
        return people
    require_consent(people, destination)
    of = count_consents(people)
    log.info(
        "left out: %s who do not consent to advertising, %s of whom it is not known",
        f"{of['no']:,}",
        f"{of['unknown']:,}",
    )
    return people.filter(pc.equal(people[CONSENTS], "yes"))


def _without_global_holdout(people: pa.Table, share: float) -> pa.Table:
    if not share:
        return people
    return people.filter(pa.array(~in_global_holdout(people["customer_id"].to_pylist(), share)))
