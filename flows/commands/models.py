"""`churn models promote` and `churn models rollback`: a person decides which model is the champion."""

import sys

from flows.adapters.models.registry import ModelRegistry
from flows.errors import SettingsError
from flows.settings import Settings


def promote(settings: Settings, version: str) -> None:
    """Makes a stored model the champion.

    Raises:
        SettingsError: when there is no such model; the message lists the existing ones.
        ModelRefused: when the model does not fit today's features.
    """
    models = ModelRegistry(settings.model_store, settings.models_cache)
    if version not in (stored := models.versions()):
        there = "\n  ".join(stored) or "none yet: run `make run`"
        raise SettingsError(f"There is no model {version!r}; name one of {settings.model_store}:\n  {there}")
    models.promote(version)
    sys.stdout.write(f"the champion is {version}\n")


def roll_back(settings: Settings) -> None:
    """Makes the previous champion the champion again.

    Raises:
        ModelRefused: when there was none before.
    """
    back_to = ModelRegistry(settings.model_store, settings.models_cache).roll_back()
    sys.stdout.write(f"the champion is {back_to} again; the one it replaces is rejected from now on\n")
