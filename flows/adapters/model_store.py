"""Trained models in a folder: one immutable folder per version, and a small file that names the champion."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.errors import ModelRefused
from functions.churn_api.scorer import ModelRefused as CannotLoad
from functions.churn_api.scorer import Scorer

CHAMPION = "champion.json"


@dataclass(frozen=True)
class StoredModel:
    """A version's folder holds `model.onnx` and `model_card.json`."""

    folder: Path
    card: Mapping[str, Any]

    @property
    def version(self) -> str:
        return str(self.card["model_version"])

    @property
    def horizon_days(self) -> int:
        return int(self.card["horizon_days"])


@dataclass(frozen=True)
class ModelStore:
    folder: Path

    def save(self, content: bytes, card: Mapping[str, Any]) -> StoredModel:
        """Stores a new version, whole or not at all. A version that exists already stays as it is."""
        target = self.folder / card["model_version"]
        if not target.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(dir=self.folder, prefix=".draft-"))
            try:
                (draft / "model.onnx").write_bytes(content)
                (draft / "model_card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
                draft.chmod(0o755)
                draft.rename(target)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        return self.load(card["model_version"])

    def load(self, version: str) -> StoredModel:
        """A stored version.

        Raises:
            ModelRefused: when it is missing, incomplete, or not made for today's features.
        """
        folder = self.folder / version
        try:
            card = json.loads((folder / "model_card.json").read_text(encoding="utf-8"))
            Scorer.load(folder / "model.onnx")
        except (OSError, ValueError, CannotLoad) as error:
            raise ModelRefused(f"The model {version} in {self.folder} cannot be used: {error}") from error
        return StoredModel(folder, card)

    def promote(self, version: str) -> None:
        """Makes a stored version the champion."""
        self.load(version)
        draft = self.folder / f".{CHAMPION}.draft"
        draft.write_text(json.dumps({"model_version": version}) + "\n", encoding="utf-8")
        os.replace(draft, self.folder / CHAMPION)

    def champion(self) -> StoredModel | None:
        """The version that is served, or None where none was ever promoted."""
        pointer = self.folder / CHAMPION
        if not pointer.exists():
            return None
        return self.load(json.loads(pointer.read_text(encoding="utf-8"))["model_version"])
