"""What is made once in a test session and read by all of its workers."""

import fcntl
import hashlib
import pickle
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Shared:
    """Folders that the first worker who wants one makes, while the others wait. They are only read, or copied."""

    root: Path

    def folder(self, name: str, make: Callable[[Path], Any]) -> Path:
        """The folder of this name, made by `make(folder)`."""
        self.root.mkdir(exist_ok=True)
        folder = self.root / name
        with open(self.root / f"{name}.lock", "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                draft = self.root / f"{name}.draft"
                shutil.rmtree(draft, ignore_errors=True)  # of a maker that failed
                draft.mkdir()
                made = make(draft)
                (draft / ".made").write_bytes(pickle.dumps(made))
                draft.rename(folder)
        return folder

    def copy(self, name: str, make: Callable[[Path], Any], to: Path) -> Any:
        """Puts a copy of the folder's content into the folder `to`; returns what `make` returned."""
        folder = self.folder(name, make)
        shutil.copytree(folder, to, dirs_exist_ok=True)
        return pickle.loads((to / ".made").read_bytes())


def name_of(**settings: Any) -> str:
    """A name for what was made by these settings."""
    return hashlib.sha256(repr(sorted(settings.items())).encode()).hexdigest()[:16]
