"""What may follow `make`: what settings and commands read, and nothing else."""

import re
import subprocess

import pytest
import typer

from flows.__main__ import app
from flows.settings import REPOSITORY, Settings
from flows.settings.deployment import DeploymentSettings
from flows.settings.reader import variables
from flows.settings.shown import SYSTEMS
from functions.churn_api.settings import ApiSettings

OF_MAKE = {
    "FILE",
    "PERSON",
    "LAUNCH",
    "PLAN",
    "VERSION",
    "PYTHON",
    "VENV",
    "SHELL",
}  # what the Makefile reads, or hands on


def make(*arguments):
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)


def of_commands(command):
    for option in command.params:
        yield from [option.envvar] if isinstance(option.envvar, str) else option.envvar or ()
    for one in getattr(command, "commands", {}).values():
        yield from of_commands(one)


def test_make_takes_what_settings_and_commands_read_and_nothing_else():
    listed = make("--eval", "listed: ; @echo $(OPTIONS)", "listed").stdout.split()
    read = set(variables(Settings, DeploymentSettings, *SYSTEMS)) | set(of_commands(typer.main.get_command(app)))
    read |= {name.upper() for name in ApiSettings.__dataclass_fields__}
    read |= OF_MAKE | {"PREFECT_API_KEY"}  # which prefect itself reads
    assert not read - set(listed), f"OPTIONS of the Makefile lacks {', '.join(sorted(read - set(listed)))}"
    assert not set(listed) - read, f"nothing reads these OPTIONS of the Makefile: {', '.join(set(listed) - read)}"
    assert len(listed) == len(set(listed))


def test_every_option_is_in_a_document():
    listed = set(make("--eval", "listed: ; @echo $(OPTIONS)", "listed").stdout.split())
    named = {
        name
        for document in (REPOSITORY / "docs").glob("*.md")
        for name in re.findall(r"\b[A-Z][A-Z0-9_]+\b", document.read_text(encoding="utf-8"))
    }
    of_stand_ins = {"SNOWFLAKE_HOST", "SNOWFLAKE_PORT", "SNOWFLAKE_PROTOCOL"}
    of_make = {"VENV", "SHELL"}
    missing = sorted(listed - named - of_stand_ins - of_make)
    assert not missing, f"no document, such as docs/configuration.md, has {', '.join(missing)}"


def test_every_command_has_a_target_that_make_help_lists():
    """And every target calls a command."""
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    commands = set(typer.main.get_command(app).commands)
    called = set(re.findall(r"\$\(CHURN\) ([a-z-]+)", makefile))
    assert not commands - called, f"no target of the Makefile calls {', '.join(commands - called)}"
    assert not called - commands, f"flows/__main__.py lacks {', '.join(called - commands)}, which the Makefile calls"
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.M)
    listed = {line.split()[1] for line in make("help").stdout.splitlines()}
    unlisted = {*phony.split()} ^ listed
    assert not unlisted, f"in the Makefile, .PHONY or a help text behind `##` lacks {', '.join(unlisted)}"


@pytest.mark.parametrize(
    ("given", "nearest"),
    [("ORDER=orders.csv", "ORDERS"), ("HORIZON=90", "HORIZON_DAYS"), ("TABLEAU_SIT=a", "TABLEAU_SITE")],
)
def test_a_variable_that_no_target_takes_is_refused_with_the_nearest_name(given, nearest):
    ended = make("help", given)
    assert ended.returncode == 2
    assert f"{given.partition('=')[0]}=: no target takes it. Is {nearest}= meant?" in ended.stdout
    assert "Nothing was started" in ended.stderr
    assert "make run" not in ended.stdout


def test_what_options_and_sources_are_called_is_taken():
    assert (
        make("help", "ORDERS=my orders.csv", "HUBSPOT_ACCESS_TOKEN=x", "HUBSPOT_START_DATE=2026-01-01").returncode == 0
    )


@pytest.mark.parametrize(
    ("arguments", "calls"),
    [
        (["run", "ORDERS=my orders.csv"], "-m flows run"),
        (["inspect", "ORDERS=my orders.csv"], "-m flows inspect"),
        (["campaign", "FILE=my spring.yml"], '-m flows campaign preview "$FILE"'),
        (["campaign", "FILE=spring.yml", "LAUNCH=0"], '-m flows campaign preview "$FILE"'),
        (["campaign", "FILE=spring.yml", "LAUNCH=1"], '-m flows campaign launch "$FILE"'),
        (["campaign", "FILE=spring.yml", "PLAN=1"], '-m flows campaign plan "$FILE"'),
        (["erase", "FILE=people.txt"], '-m flows erase "$FILE"'),
        (["person", "PERSON=ann@example.com", "FILE=ann.html"], '-m flows person "$PERSON" "$FILE"'),
        (["person", "FILE=ann.html"], "-m flows person"),
        (["validate-workbook"], "-m flows validate-workbook"),
        (["promote", "VERSION=v"], '-m flows models promote "$VERSION"'),
    ],
)
def test_targets_call_the_command_line(arguments, calls):
    assert make("-n", *arguments).stdout.strip().endswith(calls)


def test_the_old_name_of_erase_says_the_new_one_and_erases_nobody():
    ended = make("forget", "FILE=people.txt")
    assert ended.returncode == 2
    assert "make forget is make erase now, and nobody was erased: make erase FILE=people.txt" in ended.stderr


def test_churn_is_a_command_of_the_environment_for_any_folder(tmp_path):
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    for made in ("uv", "pipeline"):
        (venv / made).touch()
    python = venv / "bin" / "python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$PYTHONPATH" "$@"\n')
    python.chmod(0o755)
    made = make("-o", f"{venv}/uv", "-o", f"{venv}/pipeline", f"VENV={venv}", f"{venv}/bin/churn")
    assert made.returncode == 0, made.stderr
    command = [venv / "bin" / "churn", "run", "--orders", "my orders.csv"]
    called = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert called.splitlines() == [str(REPOSITORY), "-P", "-m", "flows", "run", "--orders", "my orders.csv"]
