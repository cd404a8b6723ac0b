"""Rules of the repository that no tool checks."""

import ast
import re
import subprocess
import sys

import pytest

from flows.settings import REPOSITORY

TRACKED = [
    REPOSITORY / name
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    ).stdout.splitlines()
    if (REPOSITORY / name).is_file()
]  # fmt: skip
PYTHON = [path for path in TRACKED if path.suffix == ".py"]


def test_only_the_wiring_and_the_settings_know_the_switch():
    """Nothing else asks which warehouse it is."""
    engines = {"duckdb", "snowflake"}
    for path in PYTHON:
        if path.relative_to(REPOSITORY).parts[0] not in ("flows", "functions") or path.name in (
            "wiring.py",
            "settings.py",
        ):
            continue
        text = path.read_text()
        assert "settings.warehouse," not in text, path
        assert "environ" not in text or not re.search(r"\bWAREHOUSE\b", text), path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Compare):
                compared = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
                assert not compared & engines, f"{path}:{node.lineno} asks for the engine"


def test_only_one_place_asks_what_time_it_is():
    for path in PYTHON:
        if path.relative_to(REPOSITORY).parts[0] in ("flows", "functions") and path.name != "clock.py":
            assert not re.search(r"\b(now|today|utcnow)\(\)", path.read_text().replace("started_at = now()", "")), path
            assert not re.search(r"datetime\.now\(|\btime\.time\(", path.read_text()), path
    for path in TRACKED:
        if path.suffix == ".sql":
            assert not re.search(r"current_date|current_timestamp|\bnow\(|random\(", path.read_text(), re.I), path


def test_help_lists_every_target_in_a_line_each():
    targets = re.search(r"^\.PHONY: (.*)$", (REPOSITORY / "Makefile").read_text(), re.M)
    assert targets
    make = ["make", "--no-print-directory", "help"]
    printed = subprocess.run(make, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    listed = [line.split()[1] for line in printed.splitlines()]
    assert sorted(listed) == sorted(targets[1].split())


def test_no_file_names_a_package_index_or_a_path_of_a_machine():
    for path in TRACKED:
        if path.suffix not in (".onnx", ".png") and path != REPOSITORY / "tests/contract/test_repository.py":
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"index-url|pypi\.org|/work/|/root/|find-links", text), path


def test_the_locks_are_hashed_and_hold_each_other():
    def pins(name):
        return set(re.findall(r"^([a-z0-9][^ ]*==[^ ;]+)", (REPOSITORY / "requirements" / name).read_text(), re.M))

    assert pins("api.txt") < pins("pipeline.txt") < pins("dev.txt")
    assert pins("sink.txt") < pins("dev.txt")
    for name in (
        "api.txt",
        "sink.txt",
        "pipeline.txt",
        "dev.txt",
        "uv.txt",
        "airflow.txt",
        "peers.txt",
        "cdk.txt",
        "terraform.txt",
        "checkov.txt",
    ):
        text = (REPOSITORY / "requirements" / name).read_text()
        assert len(re.findall(r"^[a-z0-9][^ ]*==", text, re.M)) <= text.count("--hash=sha256:")


@pytest.mark.parametrize("heavy", ["prefect", "dbt", "sklearn", "duckdb", "pyarrow"])
def test_the_api_loads_nothing_of_the_pipeline(heavy):
    code = f"import sys, functions.churn_api.app, functions.prediction_sink.sink; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0


def test_the_readme_mentions_every_folder_and_only_targets_that_exist():
    readme = (REPOSITORY / "README.md").read_text()
    makefile = (REPOSITORY / "Makefile").read_text()
    for folder in {
        path.relative_to(REPOSITORY).parts[0] for path in TRACKED if len(path.relative_to(REPOSITORY).parts) > 1
    }:
        assert folder in readme, folder
    for target in re.findall(r"`make ([a-z-]+)", readme):
        assert re.search(rf"^{target}:", makefile, re.M), target
