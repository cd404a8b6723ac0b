"""The container's file and the unit of systemd: what they name exists, starts and is found healthy."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from flows.settings import REPOSITORY
from tests.running.processes import free_port, wait_for_port

SERVING = REPOSITORY / "docs" / "serving"
DOCKERFILE = (SERVING / "Dockerfile").read_text()
UNIT = SERVING / "churn-api.service"


def given(instruction):
    return re.findall(rf"^\s*{instruction} (.+)$", DOCKERFILE, re.M)


def command(line):
    """An instruction's JSON list, by this Python."""
    return [sys.executable if part == "python" else part for part in json.loads(line)]


def test_what_the_image_copies_serves_and_is_found_healthy(tmp_path):
    for line in given("COPY"):
        source, target = line.split()
        if source.endswith("/"):
            shutil.copytree(REPOSITORY / source, tmp_path / target)
        else:
            assert (REPOSITORY / source).exists()
    healthy, start = given("CMD")
    port = free_port()
    settings = dict(pair.split("=", 1) for pair in given("ENV")[0].split())
    assert {"USER churn", "VOLUME /data", f"EXPOSE {settings['PORT']}"} <= {*DOCKERFILE.splitlines()}
    environment = {
        "PATH": os.environ["PATH"], **settings, "DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": str(tmp_path),
        "PORT": str(port), "API_KEYS": json.dumps({"shop": "k" * 30}),
    }  # fmt: skip
    with subprocess.Popen(command(start), env=environment, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for_port(port, process)
            subprocess.run(command(healthy), env=environment, check=True)
        finally:
            process.terminate()
    refused = subprocess.run(command(healthy), env=environment, stderr=subprocess.DEVNULL, check=False)
    assert refused.returncode == 1


def test_the_unit_starts_what_the_project_has_and_waits_for_the_end():
    lines = dict(line.split("=", 1) for line in UNIT.read_text().splitlines() if "=" in line and line[0] != "#")
    assert lines["ExecStart"].endswith("/.venv/bin/python -m flows serve")
    assert "PYTHONPATH=/opt/churn" in lines["Environment"]
    assert float(lines["TimeoutStopSec"]) > 10


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path):
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/churn/.venv/bin/python", sys.executable))
    checked = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert not [line for line in checked.stderr.splitlines() if UNIT.name in line], checked.stderr
