"""Which model to serve: the champion, or the newest one before it that can be loaded; followed while serving."""

import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
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
        """The content of a file; FileNotFoundError when there is none, OSError when it cannot be read now."""


@dataclass(frozen=True)
class ModelFolder:
    location: str

    def read(self, name: str) -> bytes:
        return (Path(self.location) / name).read_bytes()


@dataclass(frozen=True)
class Served:
    """A model that is served. `champion`: the version that should be, None where that is not known. `refused`: newer
    versions that could not be loaded."""

    scorer: Scorer
    card: Mapping[str, Any]
    champion: str | None
    refused: tuple[str, ...]

    @property
    def version(self) -> str:
        return self.scorer.model_version


@dataclass
class LiveModel:
    """The model that is served: it becomes another one when the champion of `places` does."""

    places: Sequence[Models]
    served: Served
    _is_readable: bool = True

    @classmethod
    def load(cls, places: Sequence[Models]) -> "LiveModel":
        """With the model that `load_champion` finds, which see."""
        return cls(places, load_champion(places))

    def refresh(self) -> None:
        """Serves today's champion. Where it cannot be read or loaded, the last good one stays. Safe to call in a thread
        while others predict: what they have begun, they end with the model that they began with."""
        try:
            found = load_champion(self.places, self.served)
        except (OSError, ValueError) as problem:
            if self._is_readable:
                log.error("the champion cannot be read; the model stays", extra={"problem": str(problem)})
            self._is_readable = False
            return
        self._is_readable = True
        if found.version != self.served.version:
            log.warning("another model is served", extra={"model_version": found.version, "was": self.served.version})
        self.served = found


def load_champion(places: Sequence[Models], served: Served | None = None) -> Served:
    """The champion of the first place; if it is broken or made for other features, the one before it, and so on; then
    of the next place. Refused versions are logged with the reason.

    `served`: what is served already. It is kept rather than a model of a later place, and rather than one that is older
    than a version which cannot be read just now.

    Raises:
        ModelRefused: when no place has a model that can be served; names them all.
        OSError, ValueError: when there is `served`, and the champion cannot be read just now.
    """
    champion: str | None = None
    refused: list[str] = []
    problems: list[str] = []
    for place in places:
        try:
            alias = _read_alias(place)
        except (OSError, ValueError) as problem:
            if served:
                raise
            problems.append(f"champion.json in {place.location}: {problem}")
            log.error("models cannot be read", extra={"place": place.location, "problem": str(problem)})
            continue
        champion = champion or next(iter(alias), None)
        for version, digest in alias.items():
            if served and version == served.version:
                return replace(served, champion=champion, refused=tuple(refused))
            try:
                return Served(*_load(places, place, version, digest), champion, tuple(refused))
            except (OSError, ValueError, ModelRefused) as problem:
                if served and isinstance(problem, OSError) and not isinstance(problem, FileNotFoundError):
                    raise
                if not served or version not in served.refused:
                    log.error("model refused", extra={"model_version": version, "problem": str(problem)})
                refused.append(version)
                problems.append(f"{version}: {problem}")
                if isinstance(problem, ConnectionError):
                    break  # the versions before it are out of reach too, and a start has seconds
        if served and alias:
            break
    if served:
        return replace(served, champion=champion, refused=tuple(refused))
    reasons = "".join(f"\n  {problem}" for problem in problems)
    raise ModelRefused(f"There is no model to serve in {', '.join(place.location for place in places)}.{reasons}")


def _read_alias(place: Models) -> dict[str, str | None]:
    """The champion and those before it, each with the SHA-256 of its file; None in models of before there was one."""
    try:
        alias = json.loads(place.read("champion.json"))
    except FileNotFoundError:
        return {}
    try:
        digests = alias.get("sha256", {})
        return {version: digests.get(version) for version in (alias["model_version"], *alias.get("previous", ()))
                if version}  # fmt: skip
    except (LookupError, TypeError, AttributeError) as problem:
        raise ValueError(f"it is no alias: {problem!r}") from problem


def _load(
    places: Sequence[Models], place: Models, version: str, digest: str | None
) -> tuple[Scorer, Mapping[str, Any]]:
    """From a nearer place, if the same file is there too: a Lambda package has the model of the day it was made."""
    for nearer in reversed(places) if digest else ():
        if nearer is not place:
            with suppress(OSError, ValueError, ModelRefused):
                return _load_from(nearer, version, digest)
    return _load_from(place, version, digest)


def _load_from(place: Models, version: str, digest: str | None) -> tuple[Scorer, Mapping[str, Any]]:
    card: Mapping[str, Any] = json.loads(place.read(f"{version}/model_card.json"))
    content = place.read(f"{version}/model.onnx")
    if digest and (found := sha256(content).hexdigest()) != digest:
        raise ModelRefused(f"model.onnx is not the file that was promoted: its SHA-256 is {found}, not {digest}")
    scorer = Scorer.load(content)
    if scorer.model_version != version:
        raise ModelRefused(f"the file in the folder {version} is the model {scorer.model_version}")
    return scorer, card
