"""Predictions that `make serve` has served, in files until they are in the warehouse."""

import fcntl
import json
import logging
import math
import os
import shutil
import threading
import time
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, ClassVar, NamedTuple

from flows.errors import WarehouseBusy
from functions.churn_api.predictor import NotStored
from functions.prediction_messages import messages
from functions.prediction_record import PredictionRecord
from functions.prediction_sink.message_reader import read_message
from functions.prediction_sink.sink import Merge

log = logging.getLogger(__name__)

REFUSED = "refused.jsonl"
MIN_FREE_BYTES = 10_000_000
# a larger file is left for the merge, and another one begun
MAX_FILE_BYTES = 8_000_000
# of a file, read and merged at a time: some 2,000 predictions
SLICE_BYTES = 2_000_000


class Merged(NamedTuple):
    """`rows`: merged, or in the warehouse already. `refused`: lines that do not fit."""

    rows: int = 0
    refused: int = 0


@dataclass
class FileOutbox:
    """Appends messages to a file of its own in `folder`, one a line; safe to share between threads. A file that has
    MAX_FILE_BYTES is full, and the next message begins another one.

    A message is handed to the operating system before `put` returns, so killing this process loses nothing. (A power
    cut may lose what the disk has not written yet.)

    A merge takes a file only when no process writes to it any more (its lock shows that), and removes it only once its
    rows are in the warehouse: after an interruption the same rows are merged again, which changes nothing."""

    together: ClassVar[int] = 1_000

    folder: Path
    _file: IO[bytes] | None = field(default=None, repr=False)
    _spare: int | None = field(default=None, repr=False)  # a descriptor that the next file takes over
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def put(self, source: str, scored_at: datetime, predictions: Sequence[bytes]) -> None:
        lines = [part for message in messages(source, scored_at, predictions) for part in (message, b"\n")]
        with self._lock:
            try:
                self._append(lines)
            except OSError as problem:
                raise NotStored(f"{self.folder}: {problem}") from problem

    def _append(self, lines: Sequence[bytes]) -> None:
        if self._file is None:
            self._file = self._begin()
        end, size = self._file.tell(), sum(map(len, lines))
        try:
            # not joined first: a batch has a megabyte
            if os.writev(self._file.fileno(), lines) != size:
                raise OSError(f"only part of {size} bytes could be written")
        except OSError:
            # the next message must not continue a broken line; and a full disk gets no new file for each message
            self._file.truncate(end)
            self._file.seek(end)
            raise
        if end + size >= MAX_FILE_BYTES:
            self._release()

    def _begin(self) -> IO[bytes]:
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f"{uuid.uuid4().hex}.draft"
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None
        file = open(draft, "xb", buffering=0)  # noqa: SIM115
        fcntl.flock(file, fcntl.LOCK_EX)
        draft.replace(draft.with_suffix(".jsonl"))  # visible to a merge only now that it is locked
        return file

    def close(self) -> None:
        """Releases the file that is written to, if anything is in it; the next message begins another one. (An empty
        one is used again: on a full disk there would be one more each time.)"""
        with self._lock:
            if self._file is not None and self._file.tell():
                self._release()

    def _release(self) -> None:
        """Its descriptor is kept, for a server whose connections take all others."""
        assert self._file is not None
        self._file.close()
        self._file = None
        with suppress(OSError):  # taken by a connection meanwhile
            self._spare = os.open(os.devnull, os.O_RDONLY)

    def waits(self) -> bool:
        """Whether there is anything to merge."""
        return self.waiting() > 0

    def waiting(self) -> int:
        """How many files are to be merged, the one that is written to among them."""
        return sum(path.name != REFUSED for path in self.folder.glob("*.jsonl"))

    def problem(self) -> str | None:
        """Why predictions could not be stored at the moment; None when they can."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self.folder).free
        except OSError as problem:
            return f"predictions cannot be stored: {problem.strerror}"
        if not os.access(self.folder, os.W_OK):
            return "the folder of predictions may not be written to"
        return None if free >= MIN_FREE_BYTES else f"only {free:,} bytes are free, of at least {MIN_FREE_BYTES:,}"

    def merge_into(self, merge: Merge, seconds: float = math.inf) -> Merged:
        """Merges every file that no process writes to, a slice at a time, and removes it. After so many seconds no
        other file is begun.

        A line that does not fit is moved to `refused.jsonl`; an unfinished last line was never acknowledged.
        """
        until = time.monotonic() + seconds
        rows = refused = 0
        for path in sorted(self.folder.glob("*.jsonl")):
            if path.name == REFUSED or time.monotonic() > until:
                continue
            with held(path) as file:
                if file is None:
                    continue
                while lines := file.readlines(SLICE_BYTES):
                    more = self._merge_slice(path.name, lines, merge)
                    rows, refused = rows + more.rows, refused + more.refused
                path.unlink()
        return Merged(rows, refused)

    def _merge_slice(self, name: str, lines: Sequence[bytes], merge: Merge) -> Merged:
        records: list[PredictionRecord] = []
        refused: list[bytes] = []
        why = ""
        for line in lines:
            if line.endswith(b"\n"):
                fitting, problems = read_message(line)
                records += fitting
                if problems:
                    refused.append(line)
                    why = why or problems[0]
        if records:
            merge(records)
        if refused:
            log.warning("%d lines of %s do not fit and are kept in %s: %s", len(refused), name, self.refused, why)
            with open(self.refused, "ab") as aside:
                aside.writelines(refused)
        return Merged(len(records), len(refused))

    @property
    def refused(self) -> Path:
        """Lines that did not fit, as they came; for a person to look at, and never read again."""
        return self.folder / REFUSED

    def refused_lines(self) -> int:
        """How many there are."""
        try:
            with open(self.refused, "rb") as file:
                return sum(1 for _ in file)
        except FileNotFoundError:
            return 0

    def erase(self, customer_ids: Collection[str]) -> int:
        """Removes the predictions for these customers from every file; returns how many.

        Raises:
            WarehouseBusy: when another process writes to one of them.
        """
        erased = 0
        for path in sorted(self.folder.glob("*.jsonl")):
            with held(path) as file:
                if file is None:
                    raise WarehouseBusy(f"{path} is being written by `make serve`: stop it, and run this again.")
                kept = []
                for line in file.read().splitlines(keepends=True):
                    rest, taken = _without(line, customer_ids)
                    erased += len(taken)
                    kept.append(rest)
                draft = path.with_suffix(".draft")
                draft.write_bytes(b"".join(kept))
                draft.replace(path)
        return erased

    def about(self, customer_ids: Collection[str]) -> Iterator[dict[str, Any]]:
        """The predictions for these customers, and lines that name one and do not fit. The files stay as they are;
        what a server writes at this moment may be missing."""
        for path in sorted(self.folder.glob("*.jsonl")):
            with suppress(FileNotFoundError):  # merged meanwhile
                for line in path.read_bytes().splitlines(keepends=True):
                    yield from _without(line, customer_ids)[1]


def _without(line: bytes, customer_ids: Collection[str]) -> tuple[bytes, list[dict[str, Any]]]:
    """The line without the predictions for these customers, and those; a line that is not a message is taken whole."""
    try:
        message = json.loads(line)
        is_about = [_is_about(prediction["customer_id"], customer_ids) for prediction in message["answers"]]
    except (ValueError, LookupError, TypeError):
        names_one = any(json.dumps(name)[1:-1].encode() in line for name in customer_ids)
        return (b"", [{"line": line.decode(errors="replace").strip()}]) if names_one else (line, [])
    if not any(is_about):
        return line, []
    pairs = list(zip(message["answers"], is_about, strict=True))
    kept = [prediction for prediction, theirs in pairs if not theirs]
    head = {name: value for name, value in message.items() if name != "answers"}
    taken = [head | prediction for prediction, theirs in pairs if theirs]
    return (json.dumps(message | {"answers": kept}).encode() + b"\n" if kept else b""), taken


def _is_about(customer_id: str, names: Collection[str]) -> bool:
    """Callers may write an address in any case."""
    return customer_id in names or customer_id.strip().lower() in names


@contextmanager
def held(path: Path) -> Iterator[IO[bytes] | None]:
    """The file, locked for this block; None while another process holds it, or when it is gone."""
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
