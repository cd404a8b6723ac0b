"""Reuses dbt's parse of the project in other data folders.

dbt keeps its parse among its own files, which are in the data folder: the first run in a new folder would parse again,
for two seconds. So a copy is kept in the environment. dbt itself detects what has changed since."""

import hashlib
import json
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

FILE = "partial_parse.msgpack"
MAX_KEPT = 20  # copies: one per project, target and set of variables, a megabyte each


@dataclass(frozen=True)
class KeptParse:
    """`here`: dbt's own file. `kept`: its copy in the environment, for the same project, target and variables."""

    here: Path
    kept: Path

    @classmethod
    def of(cls, project: Path, target: str, variables: Mapping[str, Any], state: Path) -> Self:
        decisive = json.dumps([str(project), target, variables], sort_keys=True)
        key = hashlib.sha256(decisive.encode()).hexdigest()[:16]
        return cls(state / FILE, Path(sys.prefix) / "dbt" / f"{key}.msgpack")

    def fetch(self) -> None:
        """Before a build: restores the copy, where dbt has no parse of its own."""
        if not self.here.exists() and self.kept.exists():
            self.here.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self.kept, self.here)

    def keep(self) -> None:
        """After a build: stores what dbt has parsed since."""
        with suppress(OSError):  # nothing is kept in a read-only environment
            if self.here.exists() and (not self.kept.exists() or _changed(self.here) > _changed(self.kept)):
                self.kept.parent.mkdir(exist_ok=True)
                draft = self.kept.with_suffix(f".{self.here.stat().st_ino}.draft")
                shutil.copy2(self.here, draft)
                draft.replace(self.kept)
                for old in sorted(self.kept.parent.glob("*.msgpack"), key=_changed)[:-MAX_KEPT]:
                    old.unlink(missing_ok=True)


def _changed(file: Path) -> float:
    return file.stat().st_mtime
