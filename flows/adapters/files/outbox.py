"""Predictions that `make serve` has answered with, in files, until they are in the warehouse."""

import fcntl
import json
import logging
import threading
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO

from flows.errors import WarehouseBusy
from functions.churn_api.predictor import NotStored
from functions.prediction_messages import messages, read_message
from functions.prediction_record import PredictionRecord
from functions.prediction_sink.sink import Merge

log = logging.getLogger(__name__)

REFUSED = "refused.jsonl"


@dataclass
class FileOutbox:
    """Appends messages to a file of its own in `folder`, one a line; safe to share between threads.

    What is put is handed to the operating system before `put` returns: killing this process loses nothing, whenever it
    comes. (A power cut may take what the disk had not written yet.)

    Whoever merges takes a file only when nobody writes to it any more, which its lock tells, and removes it only
    once its rows are in the warehouse: interrupted anywhere, the same rows are merged again, which changes nothing.
    """

    folder: Path
    _file: IO[bytes] | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def put(self, source: str, scored_at: datetime, answers: Sequence[bytes]) -> None:
        content = b"\n".join(messages(source, scored_at, answers)) + b"\n"
        try:
            with self._lock:
                if self._file is None:
                    self._file = self._begin()
                if self._file.write(content) != len(content):
                    raise OSError(f"only part of {len(content)} bytes could be written")
        except OSError as problem:
            self.close()  # what follows must not continue a broken line
            raise NotStored(f"{self.folder}: {problem}") from problem

    def _begin(self) -> IO[bytes]:
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f"{uuid.uuid4().hex}.draft"
        file = open(draft, "xb", buffering=0)  # noqa: SIM115
        fcntl.flock(file, fcntl.LOCK_EX)
        draft.replace(draft.with_suffix(".jsonl"))  # only now, locked, may a merger see it
        return file

    def close(self) -> None:
        """Lets go of the file that is written to; the next message begins another one."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def waits(self) -> bool:
        """Whether there is anything to merge."""
        return any(path.name != REFUSED for path in self.folder.glob("*.jsonl"))

    def merge_into(self, merge: Merge) -> int:
        """Merges every file that nobody writes to, and removes it; returns how many rows were read.

        A line that does not fit is kept in `refused.jsonl`; an unfinished last line was never acknowledged.
        """
        merged = 0
        for path in sorted(self.folder.glob("*.jsonl")):
            if path.name == REFUSED:
                continue
            with _held(path) as file:
                if file is None:
                    continue
                records, refused = self._read(path.name, file.read())
                if records:
                    merge(records)
                if refused:
                    with open(self.folder / REFUSED, "ab") as aside:
                        aside.writelines(refused)
                path.unlink()
                merged += len(records)
        return merged

    def forget(self, customer_ids: Collection[str]) -> int:
        """Takes the answers about these customers out of every file; returns how many.

        Raises:
            WarehouseBusy: when somebody writes to one of them.
        """
        forgotten = 0
        for path in sorted(self.folder.glob("*.jsonl")):
            with _held(path) as file:
                if file is None:
                    raise WarehouseBusy(f"{path} is being written by `make serve`: stop it, and say this again.")
                kept = []
                for line in file.read().splitlines(keepends=True):
                    rest, taken = _without(line, customer_ids)
                    forgotten += taken
                    kept.append(rest)
                draft = path.with_suffix(".draft")
                draft.write_bytes(b"".join(kept))
                draft.replace(path)
        return forgotten

    def _read(self, name: str, content: bytes) -> tuple[list[PredictionRecord], list[bytes]]:
        """The rows of a file, and the lines that do not fit."""
        records: list[PredictionRecord] = []
        refused: list[bytes] = []
        for number, line in enumerate(content.split(b"\n")[:-1], start=1):
            rows, problems = read_message(line)
            records += rows
            if problems:
                log.warning(
                    "%s, line %d is not what was expected and is kept in %s: %s", name, number, REFUSED, problems[0]
                )
                refused.append(line + b"\n")
        return records, refused


def _without(line: bytes, customer_ids: Collection[str]) -> tuple[bytes, int]:
    """The line without the answers about these customers, and how many those were; what is no message goes whole."""
    try:
        message = json.loads(line)
        kept = [answer for answer in message["answers"] if not _is_about(answer["customer_id"], customer_ids)]
    except (ValueError, LookupError, TypeError):
        names_one = any(json.dumps(name)[1:-1].encode() in line for name in customer_ids)
        return (b"", 1) if names_one else (line, 0)
    taken = len(message["answers"]) - len(kept)
    if not taken:
        return line, 0
    return (json.dumps(message | {"answers": kept}).encode() + b"\n" if kept else b""), taken


def _is_about(customer_id: str, names: Collection[str]) -> bool:
    """Callers write an address as they like."""
    return customer_id in names or customer_id.strip().lower() in names


@contextmanager
def _held(path: Path) -> Iterator[IO[bytes] | None]:
    """The file, locked for this block; None while somebody else has it, or when it is gone."""
    try:
        file = open(path, "rb")  # noqa: SIM115
    except FileNotFoundError:
        yield None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        # it may have been merged and removed between its opening and its locking
        yield file if path.exists() else None
