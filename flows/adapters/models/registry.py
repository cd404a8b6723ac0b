"""Trained models in a folder or an S3 bucket: an immutable folder for each version, a small file names the champion."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from flows.adapters.files.store import FileStore
from flows.errors import ModelRefused
from functions.churn_api.next_products import FILE
from functions.churn_api.scorer import ModelRefused as CannotLoad
from functions.churn_api.scorer import Scorer

CHAMPION = "champion.json"
MODEL, CARD, REPORT = "model.onnx", "model_card.json", "report.html"
NEXT_PRODUCTS_CARD = "next_products_card.json"


@dataclass(frozen=True)
class StoredModel:
    card: Mapping[str, Any]
    content: bytes

    @property
    def version(self) -> str:
        return str(self.card["model_version"])

    @property
    def horizon_days(self) -> int:
        return int(self.card["horizon_days"])

    @property
    def card_text(self) -> str:
        """The card as it is written."""
        return _as_text(self.card)


@dataclass(frozen=True)
class ChampionAlias:
    """`previous`: former champions, the last one first. `rejected`: versions that somebody rolled back from.
    `sha256`: of the model files of champions, by version, by which the API knows them again."""

    champion: str | None = None
    previous: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    sha256: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelRegistry:
    """Versions under `location`: a folder, or `s3://bucket/prefix` with AWS's usual means of authentication.

    A version's folder holds `model.onnx`, `report.html` and `model_card.json`. The card is written last: a folder
    without one is not a version."""

    location: str
    cache: Path

    def save(self, content: bytes, card: Mapping[str, Any], report: str) -> StoredModel:
        """Stores a new version atomically. An existing version is not changed."""
        version = str(card["model_version"])
        if not self._store.exists(f"{version}/{CARD}"):
            self._store.write(f"{version}/{MODEL}", content)
            self._store.write(f"{version}/{REPORT}", report.encode())
            self._store.write(f"{version}/{CARD}", StoredModel(card, content).card_text.encode())
        return self.load(version)

    def load(self, version: str) -> StoredModel:
        """A stored version.

        Raises:
            ModelRefused: when it is missing, incomplete, or not made for today's features.
        """
        try:
            card = json.loads(self.read(f"{version}/{CARD}"))
            content = self.read(f"{version}/{MODEL}")
            Scorer.load(content)
        except (OSError, ValueError, CannotLoad) as error:
            raise ModelRefused(f"The model {version} in {self.location} cannot be used: {error}") from error
        return StoredModel(card, content)

    def local_folder(self, version: str) -> Path:
        """A folder on this machine that holds the version's files; copied here first if it is elsewhere."""
        if self._store.folder:
            return self._store.folder / version
        here = ModelRegistry(str(self.cache), self.cache)
        model = self.load(version)
        here.save(model.content, model.card, self.read(f"{version}/{REPORT}").decode())
        return self.cache / version

    def alias(self) -> ChampionAlias:
        if not self._store.exists(CHAMPION):
            return ChampionAlias()
        stored = json.loads(self.read(CHAMPION))
        return ChampionAlias(
            stored["model_version"], tuple(stored.get("previous", ())), tuple(stored.get("rejected", ())),
            stored.get("sha256", {}),
        )  # fmt: skip

    def champion(self) -> StoredModel | None:
        """The version that is served, or None where none was ever promoted."""
        version = self.alias().champion
        return self.load(version) if version else None

    def champion_card(self) -> Mapping[str, Any] | None:
        """The champion's card, even where the model itself was made for other features; None where there is none."""
        version = self.alias().champion
        return self.card(version) if version else None

    def card(self, version: str) -> Mapping[str, Any] | None:
        """The card of a version, even where the model itself was made for other features; None where there is none."""
        if not self._store.exists(f"{version}/{CARD}"):
            return None
        card: dict[str, Any] = json.loads(self.read(f"{version}/{CARD}"))
        return card

    def keep_next_products(self, model: bytes, card: Mapping[str, Any] | None) -> None:
        """Replaces the ranking of products that the API serves, and its card where there is one: both are made anew in
        each run and belong to no version."""
        self._store.write(FILE, model)
        if card is not None:
            self._store.write(NEXT_PRODUCTS_CARD, _as_text(card).encode())

    def promote(self, version: str) -> None:
        """Makes a stored version the champion."""
        digest = sha256(self.load(version).content).hexdigest()
        before = self.alias()
        if before.champion != version or before.sha256.get(version) != digest:
            previous = (before.champion, *before.previous) if before.champion else ()
            rejected = tuple(v for v in before.rejected if v != version)
            digests = {**before.sha256, version: digest}
            self._set_alias(ChampionAlias(version, tuple(v for v in previous if v != version), rejected, digests))

    def roll_back(self) -> str:
        """Makes the previous champion the champion again; the current one is rejected from then on.

        Raises:
            ModelRefused: when there was none before.
        """
        before = self.alias()
        if not before.champion or not before.previous:
            raise ModelRefused(f"There is no earlier champion in {self.location} to roll back to.")
        back_to, *previous = before.previous
        self.load(back_to)
        rejected = (before.champion, *before.rejected)
        self._set_alias(ChampionAlias(back_to, tuple(previous), rejected, before.sha256))
        return back_to

    def versions(self) -> list[str]:
        """All stored versions, by name."""
        return sorted(name for name in self._store.folders() if self._store.exists(f"{name}/{CARD}"))

    def _set_alias(self, alias: ChampionAlias) -> None:
        kept = [version for version in (alias.champion, *alias.previous) if version]
        stored = {
            "model_version": alias.champion,
            "previous": list(alias.previous),
            "rejected": list(alias.rejected),
            "sha256": {version: alias.sha256[version] for version in kept if version in alias.sha256},
        }
        self._store.write(CHAMPION, (json.dumps(stored, indent=2) + "\n").encode())

    def read(self, name: str) -> bytes:
        """The content of a file; OSError when there is none."""
        return self._store.read(name)

    @cached_property
    def _store(self) -> FileStore:
        return FileStore(self.location)


def _as_text(card: Mapping[str, Any]) -> str:
    return json.dumps(card, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
