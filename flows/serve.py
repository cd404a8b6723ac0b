"""Serves the champion model on this machine: the last one trained here, else the one that comes with the project."""

import os
import sys

import uvicorn

from flows.adapters.model_registry import ModelRegistry
from flows.errors import ModelRefused, SettingsError
from flows.settings import SHIPPED_MODELS, Settings
from functions.churn_api.app import create_app
from functions.churn_api.scorer import Scorer


def serve(settings: Settings) -> None:
    """Runs until it is interrupted.

    Raises:
        ModelRefused: when there is no model to serve.
        SettingsError: when PORT is no port.
    """
    port = os.environ.get("PORT") or "8000"
    if not port.isdigit() or not 0 < int(port) < 65_536:
        raise SettingsError(f"PORT={port}: write a number from 1 to 65535.")
    own = ModelRegistry(settings.models_location, settings.models_cache)
    model = own.champion() or ModelRegistry(str(SHIPPED_MODELS), settings.models_cache).champion()
    if model is None:
        raise ModelRefused(f"There is no champion in {settings.models_location} or model_artifacts/: run `make run`.")
    app = create_app(Scorer.load(model.content))
    sys.stderr.write(f"serving {model.version} on http://127.0.0.1:{port} (try /docs)\n")
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning")
