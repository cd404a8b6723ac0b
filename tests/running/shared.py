"""What is made once and read by all workers of a test session."""

import fcntl
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Shared:
    """Folders that the first worker who wants one makes, while the others wait. They are only read."""

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
                make(draft)
                draft.rename(folder)
        return folder
