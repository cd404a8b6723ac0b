"""Real processes: the commands as a user starts them, and waiting without sleeping for a guessed time."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

from flows.settings import REPOSITORY


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen) -> None:
    """Returns once the process listens; fails when it ends before."""
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            continue
        return
    raise AssertionError(f"the process ended with {process.returncode} before it listened")


@contextmanager
def process_group(command, ending=signal.SIGKILL, **options):
    """A process in a group of its own, in the repository's folder; the group does not outlive the block."""
    process = subprocess.Popen(command, cwd=REPOSITORY, start_new_session=True, **options)
    try:
        yield process
    finally:
        for last in (ending, signal.SIGKILL):  # Prefect's worker sometimes does not end on its signal
            with suppress(ProcessLookupError):
                os.killpg(process.pid, last)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=20)
                break
        if process.stdout:
            process.stdout.close()


def flows(command, data_dir, *arguments, **environment):
    """`churn <command> <arguments>`, such as `models promote` with a version, which does not outlive the block."""
    return process_group(
        [sys.executable, "-m", "flows", *command.split(), *arguments],
        env={**os.environ, "DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


ENDS_WITH_ITS_PROCESS = ("multiprocessing.resource_tracker", "--callback-connection")


def left_behind(variable, value):
    """Processes, but for this one, whose environment has this variable: what was started by a process that had it.
    Python's resource trackers and Tableau's hyperd do not count: each ends with its process. Empty where the system
    does not tell (macOS)."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if folder.name != str(os.getpid()) and f"{variable}={value}".encode() in (folder / "environ").read_bytes():
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
                if command and not any(
                    name in command for name in ENDS_WITH_ITS_PROCESS
                ):  # none: it waits to be reaped
                    found.append(f"{folder.name} {command}")
    return found


def read_until(process, words):
    lines = []
    for line in process.stdout:
        lines.append(line)
        if words in line:
            return "".join(lines)
    raise AssertionError(f"ended without saying {words!r}:\n{''.join(lines)}")


def post(url, body, process):
    """Asks until the server listens, for as long as its process lives."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    while process.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.read()
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError):
                raise
    raise AssertionError("the server ended")
