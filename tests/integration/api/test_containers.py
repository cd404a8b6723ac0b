"""The container's file and the unit of systemd: what they name exists, starts and is found healthy."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from flows.settings import REPOSITORY
from tests.running.image import DOCKERFILE, environment, given, unpack
from tests.running.processes import free_port, wait_for_port

SERVING = REPOSITORY / "docs" / "serving"


def command(line):
    """An instruction's JSON list, by this Python."""
    return [sys.executable if part == "python" else part for part in json.loads(line)]


def test_what_the_image_copies_serves_and_is_found_healthy(tmp_path):
    unpack(tmp_path)
    healthy, start = given("CMD")
    port = free_port()
    settings = environment()
    assert {"USER churn", "VOLUME /data", f"EXPOSE {settings['PORT']}"} <= {*DOCKERFILE.splitlines()}
    machine = {
        "PATH": os.environ["PATH"], **settings, "DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": str(tmp_path),
        "PORT": str(port), "API_KEYS": json.dumps({"shop": "k" * 30}),
    }  # fmt: skip
    with subprocess.Popen(command(start), env=machine, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for_port(port, process)
            subprocess.run(command(healthy), env=machine, check=True)
        finally:
            process.terminate()
    refused = subprocess.run(command(healthy), env=machine, stderr=subprocess.DEVNULL, check=False)
    assert refused.returncode == 1


@pytest.mark.parametrize(
    ("unit", "start"),
    [("churn-api", "flows serve"), ("churn-worker", "prefect worker start --pool rfm-churn --type process")],
)
def test_a_unit_starts_what_the_project_has_and_waits_for_the_end(unit, start):
    text = (SERVING / f"{unit}.service").read_text()
    lines = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and line[0] != "#")
    assert lines["ExecStart"].endswith(f"/.venv/bin/python -m {start}")
    assert "PYTHONPATH=/opt/churn" in lines["Environment"]
    assert float(lines["TimeoutStopSec"]) > 10


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
@pytest.mark.parametrize("name", ["churn-api", "churn-worker"])
def test_systemd_finds_nothing_wrong_with_a_unit(tmp_path, name):
    unit = tmp_path / f"{name}.service"
    text = (SERVING / unit.name).read_text()
    unit.write_text(text.replace("/opt/churn/.venv/bin/python", sys.executable))
    checked = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert not [line for line in checked.stderr.splitlines() if unit.name in line], checked.stderr
