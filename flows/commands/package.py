"""`churn package`: the deployment packages of both Lambda functions, for both architectures."""

import sys
from pathlib import Path

from flows.adapters.models.lambda_package import FUNCTIONS, LAMBDA_PYTHON, PLATFORMS, build_package, find_python
from flows.adapters.models.registry import ModelRegistry
from flows.errors import ModelRefused, SettingsError
from flows.settings import REPOSITORY, SHIPPED_MODELS, Settings, read_settings
from flows.settings.deployment import DeploymentSettings

DIST = REPOSITORY / "dist"


def package(settings: Settings, python: Path | None = None) -> None:
    """Builds every package with the champion, or with the shipped model, which it says, and prints their sizes.

    Where Terraform manages the environment, its model store has to be named: packages without it would hold a model of
    another store.

    `python`: a Python of Lambda's version, to compile byte code; None: one that is found on this machine.

    Raises:
        ModelRefused: when the champion does not fit; existing packages stay as they are.
        SettingsError: when MANAGED_BY=terraform and there is no MODELS.
        PackageFailed: when a package cannot be built.
    """
    if read_settings(DeploymentSettings).managed_by == "terraform" and not settings.models:
        raise SettingsError("MODELS is not set: `make env` writes it to .env; read that first (docs/deploy.md).")
    own = ModelRegistry(settings.model_store, settings.models_cache).champion()
    model = own or ModelRegistry(str(SHIPPED_MODELS), settings.models_cache).champion()
    if model is None:
        raise ModelRefused(f"There is no champion in {settings.model_store} or model_artifacts/: run `make run`.")
    compiler = find_python(LAMBDA_PYTHON, python)
    if compiler is None:
        sys.stderr.write(
            f"No Python {LAMBDA_PYTHON} was found, so no byte code is compiled; a cold start will take twice as long."
            " Install it, or set LAMBDA_PYTHON=/path/to/python.\n"
        )
    if own is None:
        sys.stderr.write(
            f"There is no champion in {settings.model_store}, so the packages have the model that comes with the"
            f" project, {model.version}. Lambda serves it where its model store has no champion either.\n"
        )
    sys.stdout.write(f"model {model.version}, Python {LAMBDA_PYTHON}\n")
    for name in FUNCTIONS:
        for architecture in PLATFORMS:
            built = build_package(name, architecture, model, DIST, compiler)
            sys.stdout.write(
                f"{built.file.relative_to(REPOSITORY)!s:<34} {built.zipped_bytes / 1e6:6.1f} MB,"
                f" {built.unpacked_bytes / 1e6:6.1f} MB unpacked\n"
            )
