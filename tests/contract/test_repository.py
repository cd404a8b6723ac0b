"""Rules of the repository that no tool checks."""

import ast
import re
import subprocess
import sys
import tomllib

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
        place = path.relative_to(REPOSITORY)
        is_ours = place.parts[0] in ("flows", "functions")
        if not is_ours or path.name == "wiring.py" or place.parts[:2] == ("flows", "settings"):
            continue
        text = path.read_text()
        assert "settings.warehouse," not in text, path
        assert "environ" not in text or not re.search(r"\bWAREHOUSE\b", text), path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Compare):
                compared = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
                assert not compared & engines, f"{path}:{node.lineno} asks for the engine"


def test_the_environment_is_read_by_settings_but_for_what_is_not_ours():
    """What else may, and why."""
    others = {
        "flows/adapters/dbt/runner.py": "dbt hands values to its own plugins by the environment",
        "flows/adapters/duckdb/scoring.py": "one of them, which dbt runs",
        "flows/adapters/models/lambda_package.py": "where pyenv keeps its Pythons",
        "flows/commands/deploy.py": "prefect reads prefect.yaml's variables from it",
        "flows/commands/local_tools.py": "Prefect reads it when it is imported",
        "flows/commands/serve.py": "the API's settings, which it reads on Lambda too",
        "flows/orchestration.py": "whether Prefect is imported at all",
        "flows/sources/connections.py": "names that airbyte/connections.yml chooses",
    }
    reading = {
        path.relative_to(REPOSITORY).as_posix()
        for path in PYTHON
        if path.relative_to(REPOSITORY).parts[0] == "flows" and re.search(r"os\.environ|getenv", path.read_text())
    }
    assert reading == set(others)


def test_only_one_place_asks_what_time_it_is():
    for path in PYTHON:
        if path.relative_to(REPOSITORY).parts[0] in ("flows", "functions") and path.name != "clock.py":
            assert not re.search(r"\b(now|today|utcnow)\(\)", path.read_text().replace("started_at = now()", "")), path
            assert not re.search(r"datetime\.now\(|\btime\.time\(", path.read_text()), path
    for path in TRACKED:
        if path.suffix == ".sql":
            assert not re.search(r"current_date|current_timestamp|\bnow\(|random\(", path.read_text(), re.I), path


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
        "uplift.txt",
        "recommenders.txt",
        "cdk.txt",
        "terraform.txt",
        "checkov.txt",
        "clients.txt",
        "metricflow.txt",
    ):
        text = (REPOSITORY / "requirements" / name).read_text()
        assert len(re.findall(r"^[a-z0-9][^ ]*==", text, re.M)) <= text.count("--hash=sha256:")


@pytest.mark.parametrize("heavy", ["prefect", "dbt", "sklearn", "duckdb", "pyarrow"])
def test_the_api_loads_nothing_of_the_pipeline(heavy):
    code = f"import sys, functions.churn_api.app, functions.prediction_sink.sink; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0


DOCUMENTS = [path for path in TRACKED if path.suffix == ".md" and path.name != "CHANGELOG.md"]  # which names the past


def test_the_readme_is_a_front_page_that_draws_every_folder():
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) <= 120
    drawn = set(re.findall(r"[\w.]+", readme.split("\n## The house\n")[1].split("\n## ")[0]))
    parts = [path.relative_to(REPOSITORY).parts for path in TRACKED]
    folders = {folders[0] for *folders, _ in parts if folders}
    folders |= {folders[1] for *folders, _ in parts if len(folders) > 1 and folders[0] in ("flows", "functions")}
    folders |= {folders[2] for *folders, _ in parts if folders[:2] == ["flows", "adapters"] and len(folders) > 2}
    assert not folders - drawn, f"the drawing in README.md lacks {', '.join(sorted(folders - drawn))}"


def test_the_layers_are_drawn_as_they_are_held():
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (held,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    page = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    block = page.split("\n## Layers\n")[1].split("```")[1]
    drawn = [re.split(r"\s{2,}", line.strip())[0] for line in block.strip().splitlines()]
    assert drawn == [layer.replace("flows.", "").replace(" | ", " · ") for layer in held]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_a_document_names_only_what_exists(document):
    """Make targets, links with their headings, and files of the repository in backticks."""
    text = document.read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.M)
    assert sorted(set(re.findall(r"`make ([a-z-]+)", text)) - set(targets)) == []

    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [link for link in links if not _leads_somewhere(document, link)] == []

    folders = {path.relative_to(REPOSITORY).parts[0] for path in TRACKED if path.parent != REPOSITORY}
    paths = re.findall(rf"`((?:{'|'.join(map(re.escape, folders))})/[\w./-]+)`", text)
    assert [path for path in paths if path not in _ADDED_BY_READERS and not (REPOSITORY / path).exists()] == []


_ADDED_BY_READERS = {  # what docs/sources.md has its reader write
    "airbyte/stripe.yaml",
    "dbt_project/models/staging/stripe/stg_stripe__order_lines.sql",
    "dbt_project/models/staging/stripe/_stripe__sources.yml",
}


def _leads_somewhere(document, link):
    name, _, heading = link.partition("#")
    file = (document.parent / name) if name else document
    if not file.exists():
        return False
    titles = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.M) if heading else []
    return not heading or heading in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_stand_in_is_named_with_what_it_does_not_prove():
    table = (REPOSITORY / "docs" / "evidence.md").read_text(encoding="utf-8").split("\n## Stand-ins\n")[1]
    stand_ins = {
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / "tests" / "stand_ins").glob("*.py")
        if path.name != "__init__.py"
    }
    assert [name for name in sorted(stand_ins) if f"`{name}`" not in table.split("\n## ")[0]] == []
