"""The command line: what each command takes, from where, and with what status it ends."""

import subprocess
import sys
from contextlib import nullcontext
from datetime import date
from pathlib import Path

import pytest
import typer

from flows.__main__ import app, main
from flows.commands.options import takes
from flows.errors import BadInput
from flows.settings import REPOSITORY, Settings


def commands(group=None, path=()):
    """Each command by the words that call it."""
    for name, command in (group or typer.main.get_command(app)).commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(commands())


@pytest.fixture
def called(monkeypatch):
    """called(*arguments): what `churn models rollback` is called with."""
    got = []
    monkeypatch.setattr("flows.commands.models.roll_back", got.append)

    def call(*arguments):
        assert main(["models", "rollback", *arguments]) == 0
        return got.pop()

    return call


@pytest.fixture
def taken():
    """taken(names, *arguments): the settings of a command that takes these names."""

    def run(names, *arguments):
        got, one = [], typer.Typer()
        one.command()(takes(*names)(lambda settings: got.append(settings)))
        with pytest.raises(SystemExit) as ended:
            typer.main.get_command(one).main(arguments)
        assert ended.value.code == 0
        return got[0]

    return run


def test_every_setting_is_an_option_of_a_command():
    options = {option.name for command in COMMANDS.values() for option in command.params}
    assert not set(Settings.model_fields) - options, (
        f"no command in flows/__main__.py takes {', '.join(set(Settings.model_fields) - options)}"
    )


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_each_command_says_what_it_does_and_what_each_option_is(words, capsys):
    assert main([*words, "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    command = COMMANDS[words]
    assert command.help.splitlines()[0] in text
    for option in command.params:
        assert option.help, option.name
        assert (option.opts[0] if option.param_type_name == "option" else option.metavar) in text


def test_the_help_of_a_run_names_limits_choices_and_defaults(capsys):
    assert main(["run", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for words in ("7<=x<=365", "<duckdb|snowflake>", "default: 5000", "YYYY-MM-DD", "--show-pii / --no-show-pii"):
        assert words in text


@pytest.mark.parametrize(
    ("arguments", "place", "expected"),
    [
        (["campaign", "preview", "spring.yml"], "flows.__main__._campaign", Path("spring.yml")),
        (["campaign", "launch", "spring.yml"], "flows.__main__._campaign", Path("spring.yml")),
        (["erase", "people.txt"], "flows.commands.erase.erase", Path("people.txt")),
        (["models", "promote", "v1"], "flows.commands.models.promote", "v1"),
    ],
)
def test_a_command_gets_its_argument_and_the_settings(monkeypatch, arguments, place, expected):
    got = []
    monkeypatch.setattr(place, lambda settings, argument, **_: got.append((type(settings), argument)))
    assert main(arguments) == 0
    assert got == [(Settings, expected)]


def test_an_option_wins_over_the_environment_and_that_over_the_default(called, monkeypatch, tmp_path):
    assert called().models is None
    monkeypatch.setenv("MODELS", "s3://bucket/ours")
    assert called().models == "s3://bucket/ours"
    assert called("--models", str(tmp_path)).models == str(tmp_path)


def test_an_option_that_is_given_as_by_default_wins_too(taken, monkeypatch):
    monkeypatch.setenv("CUSTOMERS", "70")
    monkeypatch.setenv("SHOW_PII", "1")
    assert taken(["customers"]).customers == 70
    assert taken(["customers"], "--customers", "5000").customers == 5000
    assert taken(["show_pii"]).show_pii
    assert not taken(["show_pii"], "--no-show-pii").show_pii


def test_values_have_the_type_of_their_setting(taken):
    settings = taken(
        ["as_of", "horizon_days", "global_holdout", "destination", "data_dir"],
        *("--as-of", "2026-01-31", "--horizon-days", "90", "--global-holdout", "0.1", "--destination", "csv"),
        *("--data-dir", "elsewhere"),
    )
    assert (settings.as_of, settings.horizon_days) == (date(2026, 1, 31), 90)
    assert (settings.global_holdout, settings.destination) == (0.1, "csv")
    assert settings.data_dir.is_absolute()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rn"], "Did you mean 'run'"),
        (["run", "--horizn-days", "90"], "--horizon-days"),
        (["run", "--horizon-days", "3"], "--horizon-days"),
        (["run", "--as-of", "2026-13-01"], "--as-of"),
        (["run", "--warehouse", "oracle"], "'duckdb', 'snowflake'"),
        (["run", "orders.csv"], "unexpected extra argument"),
        (["campaign", "preview"], "Missing argument 'FILE'"),
        (["campaign", "preview", "spring.yml", "--seed", "1"], "--seed"),
        (["models", "promote"], "Missing argument 'VERSION'"),
        (["serve", "--port", "99999"], "--port"),
        (["redrive"], "--queue-url"),
    ],
)
def test_what_is_typed_wrong_is_reported_and_nothing_is_started(arguments, message, capsys):
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_a_setting_of_the_environment_that_does_not_fit_is_named(monkeypatch, capsys):
    monkeypatch.setenv("HORIZON_DAYS", "soon")
    assert main(["models", "rollback"]) == 1
    assert "HORIZON_DAYS=soon" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "called", "with_"),
    [
        (["models", "promote", "v1"], "flows.commands.models.promote", ["v1"]),
        (["erase", "people.txt"], "flows.commands.erase.erase", [Path("people.txt")]),
        (["person", "C1", "c1.json"], "flows.commands.person.person", ["C1", Path("c1.json")]),
        (["person", "C1"], "flows.commands.person.person", ["C1", Path("person.html")]),
        (["serve", "--port", "81"], "flows.commands.serve.serve", ["127.0.0.1", 81]),
        (["package"], "flows.commands.package.package", [None]),
    ],
)
def test_a_command_hands_on_its_settings_and_what_it_takes(monkeypatch, tmp_path, arguments, called, with_):
    got = []
    monkeypatch.setattr(called, lambda *given: got.extend(given))
    assert main([*arguments, "--data-dir", str(tmp_path)]) == 0
    assert (got[0].data_dir, got[1:]) == (tmp_path, with_)


@pytest.mark.parametrize(("command", "launches"), [("preview", False), ("launch", True)])
def test_a_preview_never_launches(monkeypatch, command, launches):
    got = []
    monkeypatch.setattr("flows.__main__.foreground", lambda settings: nullcontext())
    monkeypatch.setattr("flows.flow.campaign.campaign", lambda *given: got.extend(given[1:]))
    monkeypatch.setattr("flows.console.campaign_summary.print_campaign", lambda *_: None)
    assert main(["campaign", command, "~/spring.yml"]) == 0
    assert got == [Path.home() / "spring.yml", launches]


def test_what_only_one_command_reads_may_come_from_the_environment(monkeypatch):
    got = []
    monkeypatch.setattr("flows.commands.redrive.redrive_dead_letters", lambda *given: got.append(given))
    for name in ("QUEUE_URL", "DEAD_LETTER_QUEUE_URL", "AWS_REGION"):
        monkeypatch.setenv(name, name.lower())
    assert main(["redrive", "--aws-region", "eu-west-1"]) == 0
    assert got == [("queue_url", "dead_letter_queue_url", "eu-west-1")]


@pytest.mark.parametrize(
    ("error", "status", "message", "traces"),
    [
        (BadInput("line 3 is blank"), 1, "\nline 3 is blank\n", False),
        (ZeroDivisionError("oh"), 1, "ZeroDivisionError: oh", True),
        (KeyboardInterrupt(), 130, "", False),
    ],
)
def test_an_error_of_ours_is_printed_as_a_sentence_and_any_other_traced(
    monkeypatch, capsys, error, status, message, traces
):
    def fail(_):
        raise error

    monkeypatch.setattr("flows.commands.models.roll_back", fail)
    assert main(["models", "rollback"]) == status
    printed = capsys.readouterr().err
    assert message in printed
    assert ("Traceback" in printed) == traces


HEAVY = "prefect", "dbt", "sklearn", "duckdb", "pyarrow", "numpy", "uvicorn", "onnxruntime", "yaml", "rich"


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["run", "--horizon-days", "3"]])
def test_nothing_heavy_is_imported_to_answer(arguments):
    code = f"""
import sys
from flows.__main__ import main
main({arguments!r})
sys.exit(", ".join(name for name in {HEAVY!r} if name in sys.modules) or 0)
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr.splitlines()[-1]
