"""`churn deploy`: work pools, deployments and automations, on the Prefect server that PREFECT_API_URL names.

Where Terraform manages the environment (MANAGED_BY=terraform, which `make env` writes), it owns pools, limit and
automations, and only the deployments are created here: they change with the code."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from flows.errors import PipelineError, SettingsError
from flows.orchestration import ONE_AT_A_TIME
from flows.settings import REPOSITORY, DeploymentSettings, read_settings

PREFECT_YAML = REPOSITORY / "prefect.yaml"
AUTOMATIONS = REPOSITORY / "flows" / "automations.yaml"
LOCAL_POOL, POOL = "rfm-churn-local", "rfm-churn"
_PLACEHOLDER = re.compile(r"{{ \$([A-Z0-9_]+) }}")


def deploy() -> None:
    """Brings the server in line with prefect.yaml and flows/automations.yaml; idempotent.

    Raises:
        SettingsError: when a variable, the pool for push or managed execution, or a block is missing.
        PipelineError: when Prefect refuses a deployment.
    """
    settings = read_settings(DeploymentSettings)
    if missing := list(settings.missing):
        raise SettingsError(
            f"make deploy needs {', '.join(missing)}: an unset variable would be blank in every deployment."
            " docs/production.md explains each."
        )
    commit = settings.git_commit or _commit_of_checkout()
    if settings.managed_by == "terraform":
        _deploy_all(settings, commit)
        return
    from prefect.client.orchestration import get_client

    from flows.adapters.prefect.server import (
        align_automations,
        limit_work_pool,
        make_concurrency_limit,
        make_process_pool,
    )

    if settings.alerts_to:
        from flows.adapters.prefect.alerts import ALERTS, block_of

        block_of(settings).save(ALERTS, overwrite=True)
        sys.stdout.write(f"alerts go to {settings.alerts_to}\n")
    with get_client(sync_client=True) as client:
        sys.stdout.write(f"{limit_work_pool(client, POOL)}\n")
        if settings.local_pool:
            sys.stdout.write(f"{make_process_pool(client, LOCAL_POOL)}\n")
        sys.stdout.write(f"{make_concurrency_limit(client, ONE_AT_A_TIME)}\n")
        _deploy_all(settings, commit)
        for done in align_automations(client, AUTOMATIONS):
            sys.stdout.write(f"{done}\n")


def deployments(settings: DeploymentSettings) -> dict[str, Any]:
    """The content of prefect.yaml, as it is for these settings."""
    described: dict[str, Any] = yaml.safe_load(PREFECT_YAML.read_text(encoding="utf-8"))
    if settings.runs_on != "managed":
        described["pull"] = described["definitions"]["code_in_the_image"]
    elif settings.repository_token_block:
        (clone,) = described["pull"][0].values()
        clone["access_token"] = f"{{{{ prefect.blocks.secret.{settings.repository_token_block} }}}}"
    if not settings.local_pool:
        described["deployments"] = [one for one in described["deployments"] if one["work_pool"]["name"] != LOCAL_POOL]
    for one in described["deployments"]:
        variables = one["work_pool"]["job_variables"]
        if settings.runs_on != "managed":
            variables.pop("image", None)
        if settings.runs_on != "managed" or not settings.runs_role:
            variables.pop("federated_identity", None)
    del described["definitions"]
    return described


def _deploy_all(settings: DeploymentSettings, commit: str) -> None:
    described = yaml.safe_dump(deployments(settings), sort_keys=False, allow_unicode=True)
    given = {"PWD": str(REPOSITORY), "GIT_COMMIT": commit, "CODE_DIRECTORY": settings.code_directory}
    # what is blank on purpose is set to that: Prefect warns of variables that are not there
    blank = dict.fromkeys(_PLACEHOLDER.findall(described), "")
    if settings.runs_on == "managed":
        sys.stdout.write(f"runs fetch the commit {commit} of {settings.repository_url}\n")
    with tempfile.TemporaryDirectory(prefix="deploy-") as folder:
        file = Path(folder) / "prefect.yaml"
        file.write_text(described, encoding="utf-8")
        command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(file)]
        if subprocess.run(command, cwd=REPOSITORY, env=blank | os.environ | given).returncode:
            raise PipelineError("Not everything could be deployed: see Prefect's messages above.")


def _commit_of_checkout() -> str:
    """What runs fetch by default, so that a merge is in production when it is deployed and not before.

    Raises:
        SettingsError: when this is no checkout of git."""
    found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True)  # noqa: S607
    if found.returncode:
        raise SettingsError(
            "make deploy needs GIT_COMMIT, the commit that runs fetch: this folder is no checkout that would say it."
        )
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=REPOSITORY, capture_output=True, text=True)  # noqa: S607
    if changed.stdout.strip():
        sys.stdout.write("what is not committed here does not run there\n")
    return found.stdout.strip()
