"""Which model to serve: the newest champion that can be loaded."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from functions.churn_api.scorer import ModelRefused, Scorer

log = logging.getLogger(__name__)


class Models(Protocol):
    """A place with models: `champion.json`, and a folder per version with `model.onnx` and `model_card.json`."""

    @property
    def location(self) -> str:
        """For messages."""

    def read(self, name: str) -> bytes:
        """The content of a file; OSError when there is none."""


@dataclass(frozen=True)
class ModelFolder:
    location: str

    def read(self, name: str) -> bytes:
        return (Path(self.location) / name).read_bytes()


@dataclass(frozen=True)
class Served:
    """`refused`: newer versions that could not be loaded."""

    scorer: Scorer
    card: Mapping[str, Any]
    refused: tuple[str, ...]


def load_champion(places: Sequence[Models]) -> Served:
    """The champion of the first registry; if it is broken or made for other features, the one before it, and so on;
    then the next registry. Refused versions are logged with the reason.

    Raises:
        ModelRefused: when no registry has a model that can be served; names them all.
    """
    refused: list[str] = []
    problems: list[str] = []
    for place in places:
        for version in _versions(place, problems):
            try:
                card = json.loads(place.read(f"{version}/model_card.json"))
                return Served(_load(place, version), card, tuple(refused))
            except (OSError, ValueError, ModelRefused) as problem:
                log.error("model refused", extra={"model_version": version, "problem": str(problem)})
                refused.append(version)
                problems.append(f"{version}: {problem}")
    reasons = "".join(f"\n  {problem}" for problem in problems)
    raise ModelRefused(f"There is no model to serve in {', '.join(place.location for place in places)}.{reasons}")


def _versions(place: Models, problems: list[str]) -> list[str]:
    try:
        alias = json.loads(place.read("champion.json"))
        return [version for version in (alias["model_version"], *alias.get("previous", ())) if version]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as problem:
        problems.append(f"champion.json in {place.location}: {problem}")
        log.error("models cannot be read", extra={"place": place.location, "problem": str(problem)})
        return []


def _load(place: Models, version: str) -> Scorer:
    scorer = Scorer.load(place.read(f"{version}/model.onnx"))
    if scorer.model_version != version:
        raise ModelRefused(f"the file in the folder {version} is the model {scorer.model_version}")
    return scorer
