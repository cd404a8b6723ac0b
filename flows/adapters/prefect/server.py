"""Creates and updates the work pools and automations of a Prefect server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, WorkPoolCreate, WorkPoolUpdate
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectNotFound

from flows.adapters.prefect.alerts import ALERTS, find_block_id
from flows.errors import SettingsError


def limit_work_pool(client: SyncPrefectClient, name: str) -> str:
    """Limits a pool to one run at a time; returns what was done.

    Raises:
        SettingsError: when there is no such pool. A pool that needs a cluster and roles is created by an administrator.
    """
    try:
        found = client.read_work_pool(name)
    except ObjectNotFound:
        raise SettingsError(
            f"There is no work pool {name}. Create it with what its runs need, for example:\n"
            f"  prefect work-pool create {name} --type ecs:push --provision-infra"
        ) from None
    if found.concurrency_limit != 1:
        client.update_work_pool(name, WorkPoolUpdate(concurrency_limit=1))
        return f"the work pool {name} ({found.type}) runs one at a time now"
    return f"the work pool {name} ({found.type}) is there"


def make_process_pool(client: SyncPrefectClient, name: str) -> str:
    """Creates a pool for a worker that starts processes; returns what was done."""
    try:
        client.read_work_pool(name)
    except ObjectNotFound:
        client.create_work_pool(WorkPoolCreate(name=name, type="process", concurrency_limit=1))
        return f"created the work pool {name} (process)"
    return limit_work_pool(client, name)


def make_concurrency_limit(client: SyncPrefectClient, name: str) -> str:
    """Creates a concurrency limit of one by name; returns what was done."""
    try:
        client.read_global_concurrency_limit_by_name(name)
    except ObjectNotFound:
        client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=name, limit=1))
        return f"created the concurrency limit {name}"
    return f"the concurrency limit {name} is there"


def align_automations(client: SyncPrefectClient, file: Path) -> Iterator[str]:
    """Creates or changes the automations of a file by name; returns what was done for each.

    Raises:
        SettingsError: when a block that an automation names is missing.
    """
    for described in yaml.safe_load(file.read_text(encoding="utf-8"))["automations"]:
        wanted = AutomationCore.model_validate(_with_block_ids(client, described))
        found = client.read_automations_by_name(wanted.name)
        if not found:
            client.create_automation(wanted)
            yield f"created the automation {wanted.name!r}"
        elif _content(found[0]) != _content(wanted):  # a change would restart its time windows
            client.update_automation(found[0].id, wanted)
            yield f"changed the automation {wanted.name!r}"
        else:
            yield f"the automation {wanted.name!r} is there"


def _content(automation: AutomationCore) -> dict[str, Any]:
    content = automation.model_dump(mode="json", include={"name", "description", "enabled", "trigger", "actions"})
    content["trigger"].pop("id", None)
    for events in ("after", "expect"):  # sets
        content["trigger"][events] = sorted(content["trigger"].get(events) or [])
    return content


def _with_block_ids(client: SyncPrefectClient, described: dict[str, Any]) -> dict[str, Any]:
    """The file says `alerts`; Prefect needs the id of that block."""
    actions = []
    for action in described["actions"]:
        if action.get("block_document_id") == ALERTS:
            if (found := find_block_id(client)) is None:
                raise SettingsError(
                    f"The automation {described['name']!r} needs the block {ALERTS}: set ALERTS_TO and ALERTS_SECRET"
                    " (docs/production.md), and it is made."
                )
            action = action | {"block_document_id": found}
        actions.append(action)
    return described | {"actions": actions}
