"""`churn deploy`: work pools, deployments and automations, on the Prefect server that PREFECT_API_URL names.

Where Terraform manages the environment (MANAGED_BY=terraform, which `make env` writes), it owns pools, limit and
automations, and only the deployments are created here: they change with the code."""

import os
import subprocess
import sys

from flows.errors import PipelineError, SettingsError
from flows.orchestration import ONE_AT_A_TIME
from flows.settings import REPOSITORY, DeploymentSettings, read_settings

AUTOMATIONS = REPOSITORY / "flows" / "automations.yaml"
LOCAL_POOL, POOL = "rfm-churn-local", "rfm-churn"


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
    if settings.managed_by == "terraform":
        _deploy_all()
        return
    from prefect.client.orchestration import get_client

    from flows.adapters.prefect.server import (
        align_automations,
        limit_work_pool,
        make_concurrency_limit,
        make_process_pool,
    )

    with get_client(sync_client=True) as client:
        sys.stdout.write(f"{limit_work_pool(client, POOL)}\n")
        sys.stdout.write(f"{make_process_pool(client, LOCAL_POOL)}\n")
        sys.stdout.write(f"{make_concurrency_limit(client, ONE_AT_A_TIME)}\n")
        _deploy_all()
        for done in align_automations(client, AUTOMATIONS):
            sys.stdout.write(f"{done}\n")


def _deploy_all() -> None:
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    if subprocess.run(command, cwd=REPOSITORY, env=os.environ | {"PWD": str(REPOSITORY)}).returncode:
        raise PipelineError("Not everything could be deployed: see Prefect's messages above.")
