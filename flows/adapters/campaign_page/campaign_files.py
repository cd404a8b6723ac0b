"""A folder of campaign files. The files are the truth; next to one that was approved is who approved which content."""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}\.ya?ml")


class FileRefused(Exception):
    """Why a file is not read or written: `key` of the page's texts, with the name of the file."""

    def __init__(self, key: str, name: str) -> None:
        super().__init__(f"{key}: {name}")
        self.key, self.name = key, name


@dataclass(frozen=True)
class Approval:
    by: str
    at: datetime


@dataclass(frozen=True)
class CampaignFile:
    """`digest`: SHA-256 of its bytes. `approval`: of exactly this content; None where it was changed since."""

    path: Path
    text: str
    digest: str
    approval: Approval | None


@dataclass(frozen=True)
class CampaignFiles:
    folder: Path
    clock: Callable[[], datetime]

    def names(self) -> list[str]:
        """Of all campaign files, by name."""
        if not self.folder.is_dir():
            return []
        return sorted(path.name for path in self.folder.iterdir() if _NAME.fullmatch(path.name) and path.is_file())

    def read(self, name: str) -> CampaignFile:
        """
        Raises:
            FileRefused: when there is no such file in the folder, or it is no text.
        """
        path = self._place(name)
        try:
            content = path.read_bytes()
            text = content.decode()
        except OSError:
            raise FileRefused("no_such_file", name) from None
        except UnicodeDecodeError:
            raise FileRefused("file_not_text", name) from None
        digest = sha256(content).hexdigest()
        return CampaignFile(path, text, digest, self._approval(path, digest))

    def save(self, name: str, text: str, before: str | None) -> CampaignFile:
        """Writes the file whole. `before`: the digest of what it replaces; None for a new one.

        Raises:
            FileRefused: when somebody else has changed or made it meanwhile.
        """
        path = self._place(name)
        now = sha256(path.read_bytes()).hexdigest() if path.exists() else None
        if now != before:
            raise FileRefused("file_exists" if before is None else "file_changed", name)
        self.folder.mkdir(parents=True, exist_ok=True)
        _write(path, text)
        return self.read(name)

    def approve(self, name: str, digest: str, by: str) -> CampaignFile:
        """Puts on record who approved this content.

        Raises:
            FileRefused: when the file has other content by now.
        """
        file = self.read(name)
        if file.digest != digest:
            raise FileRefused("file_changed", name)
        record = {"sha256": digest, "approved_by": by, "approved_at": self.clock().isoformat()}
        _write(_record(file.path), json.dumps(record, indent=1, ensure_ascii=False) + "\n")
        return self.read(name)

    def _place(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise FileRefused("no_such_file", name)
        return self.folder / name

    def _approval(self, path: Path, digest: str) -> Approval | None:
        try:
            found = json.loads(_record(path).read_bytes())
            if found["sha256"] != digest:
                return None
            return Approval(str(found["approved_by"]), datetime.fromisoformat(found["approved_at"]))
        except (OSError, ValueError, KeyError, TypeError):  # none, or one that somebody has edited
            return None


def _record(path: Path) -> Path:
    return path.with_name(f"{path.name}.approved")


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)
