"""The process of Airbyte's CDK that reads a source as its manifest says."""

import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from flows.adapters.airbyte.cdk.messages import Catalog, Complete, Failure, LogLine, Record, State, read_message
from flows.ports.syncs import SyncFailed
from flows.settings import REPOSITORY
from flows.sources.connections import Connection

CHILD = Path(__file__).with_name("child.py")
PROGRAM = REPOSITORY / ".venv" / "cdk" / "bin" / "source-declarative-manifest"

log = logging.getLogger(__name__)

_LAST_LINES = 20
_MEGABYTE = 1 << 20
_WHAT_TO_DO = {
    "config_error": "Check the connection's `config` in airbyte/connections.yml and the variables that it names.",
    "transient_error": "Run again in a while; the sync continues from what has landed.",
}
_OTHERWISE = "Run again; if it fails again, check the manifest and the lines that the source logged above."


@dataclass
class SourceProcess:
    """A running source. Its messages pass through `hide`, so that no secret of the configuration is repeated."""

    connection: str
    process: "subprocess.Popen[bytes]"
    secrets: frozenset[str]
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=_LAST_LINES))

    def __post_init__(self) -> None:
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def messages(self) -> Iterator[Record | State | Complete | Catalog]:
        """The source's messages, until its end; its warnings and errors go to our log.

        Raises:
            SyncFailed: when it reports a failure, or has an exit status other than 0.
        """
        failures: list[Failure] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            match read_message(line):
                case Record() | State() | Complete() | Catalog() as message:
                    yield message
                case Failure() as failure:
                    failures.append(failure)
                case LogLine(level, words) if level >= logging.WARNING:
                    first_line = self.hide(words).split("\n", 1)[0]  # below it is the source's own traceback
                    log.log(level, "%s: %s", self.connection, first_line)
        status = self.process.wait()
        self.listener.join()  # its last messages have arrived
        if failures or status:
            raise SyncFailed(self._why(failures, status))

    def end(self) -> None:
        """Ends the process if it is still running."""
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.listener.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    def hide(self, words: str) -> str:
        for secret in self.secrets:
            words = words.replace(secret, "***")
        return words

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.last_lines.append(self.hide(line.decode(errors="replace").rstrip()))

    def _why(self, failures: list[Failure], status: int) -> str:
        of_streams = [failure for failure in failures if failure.stream] or failures[:1]
        reasons = [
            f"{self.connection}: {f'the stream {failure.stream}' if failure.stream else 'the source'} "
            f"could not be read: {self.hide(failure.words)} {_WHAT_TO_DO.get(failure.kind, _OTHERWISE)}"
            for failure in of_streams
        ]
        if not reasons:
            ended = f"was killed by signal {-status}" if status < 0 else f"ended with exit status {status}"
            reasons = [f"{self.connection}: the source {ended} and gave no reason. {_OTHERWISE}"]
        last = [line for line in self.last_lines if line]
        return "\n".join([*reasons, *(["Its last lines:", *(f"  {line}" for line in last)] if last else [])])


@dataclass(frozen=True)
class Source:
    """What a connection reads from, run on this machine. `config` is the connector's, with its secrets; it is never
    logged, nor in an error. `scratch` is a folder of this warehouse, for files that live as long as a sync."""

    name: str
    connection: Connection
    config: Mapping[str, Any] = field(repr=False)
    manifest: Path
    scratch: Path
    program: Path = PROGRAM


@contextmanager
def source_process(source: Source, command: Literal["discover", "read"], **files: Any) -> Iterator[SourceProcess]:
    """Starts the program; the end of the `with` block ends it and removes the folder with its configuration.

    `files` become JSON files that only this user may read, one for each of the command's options of that name.

    Raises:
        SyncFailed: when the program or the manifest is missing.
    """
    program, manifest, name = source.program, source.manifest, source.name
    if not program.exists():
        raise SyncFailed(f"{program} is missing, which reads {name}: `make .venv/cdk/ready` installs it.")
    if not manifest.exists():
        raise SyncFailed(f"{manifest} is missing, the `manifest` of {name} in airbyte/connections.yml.")
    source.scratch.mkdir(parents=True, exist_ok=True)
    for left_by_a_kill in source.scratch.glob(f"sync-{name}-*"):
        shutil.rmtree(left_by_a_kill, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"sync-{name}-", dir=source.scratch) as folder:
        options = ["--manifest-path", str(manifest)]
        for option, content in {"config": source.config, **files}.items():
            options += [f"--{option}", str(_private_file(Path(folder) / f"{option}.json", content))]
        python = program.with_name("python")
        process = subprocess.Popen(
            [str(python if python.exists() else sys.executable), str(CHILD), str(program), command, *options],
            cwd=folder,
            stdin=subprocess.PIPE,  # when it closes, the child ends
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=_MEGABYTE,
            start_new_session=True,  # a group, so that it can be ended as a whole
        )
        running = SourceProcess(name, process, frozenset(_secrets(source.config)))
        try:
            yield running
        finally:
            running.end()


def _private_file(file: Path, content: Any) -> Path:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
        json.dump(content, opened)
    return file


def _secrets(config: Any) -> Iterator[str]:
    """Every text of a configuration that may be a secret: all but short words, addresses and dates."""
    if isinstance(config, Mapping):
        for value in config.values():
            yield from _secrets(value)
    elif isinstance(config, list | tuple):
        for value in config:
            yield from _secrets(value)
    elif isinstance(config, str) and len(config) >= 6 and not re.match(r"https?://|\d{4}-\d\d-\d\d", config):
        yield config
