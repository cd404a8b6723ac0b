"""The commands as a user starts, interrupts and kills them: real processes."""

import json
import os
import signal
from datetime import date
from functools import partial

import pytest

from tests.running.marts import MARTS, mart
from tests.running.processes import flows, left_behind, read_until

pytestmark = pytest.mark.whole_run


@pytest.mark.release
def test_a_run_that_is_interrupted_and_killed_and_run_again_ends_like_one_that_was_not(tmp_path, run_pipeline, read):
    shop = {"CUSTOMERS": "400", "SEED": "3"}
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    with flows("run", killed, **shop) as process:
        read_until(process, "built intermediate.int_purchases")
        os.kill(process.pid, signal.SIGINT)
        output, _ = process.communicate()
        assert process.returncode != 0
        assert "Nothing is half-written" in output
    for moment in ("built raw.rejected_rows", "tested on", "built marts.churn_predictions"):
        with flows("run", killed, **shop) as process:
            read_until(process, moment)
            os.killpg(process.pid, signal.SIGKILL)
    with flows("run", killed, **shop) as process:
        output, _ = process.communicate()
        assert process.returncode == 0, output

    run_pipeline(whole, customers=400, seed=3)
    for name in MARTS:
        assert mart(read, killed, name).equals(mart(read, whole, name)), name
    assert read(killed, "from raw.rejected_rows order by all").equals(
        read(whole, "from raw.rejected_rows order by all")
    )

    # what a person reads at the end, of the run that came through
    for words in ("What was read", "Champions", "logistic RFMT", "Who to contact first", "dashboard.html"):
        assert words in output
    assert "Traceback" not in output
    assert "leaked" not in output


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_no_process_behind(tmp_path, ending, request):
    """SIGHUP: its terminal was closed. Only the process itself gets the signal, so nothing else may be there."""
    mark = {"THIS_RUN": f"{tmp_path}"}
    request.addfinalizer(partial(signal.signal, signal.SIGHUP, signal.signal(signal.SIGHUP, signal.SIG_DFL)))  # nohup's
    with flows("run", tmp_path, CUSTOMERS="300", **mark) as process:
        read_until(process, "built raw.rejected_rows")
        os.kill(process.pid, ending)
        output, _ = process.communicate()
    assert left_behind("THIS_RUN", tmp_path) == []
    if ending == signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
    else:
        assert process.returncode == 128 + ending
        assert "Nothing is half-written" in output
        assert "Traceback" not in output


def test_a_user_sees_what_is_wrong_without_a_traceback(tmp_path):
    with flows("run", tmp_path, ORDERS=str(tmp_path / "nothing.csv")) as process:
        output, _ = process.communicate()
    assert process.returncode == 1
    assert "there is no such file" in output
    assert "Traceback" not in output


def test_a_users_own_prefect_profile_is_left_alone(tmp_path):
    """Not even read: it points to a server that does not exist, and the run would fail on it."""
    home = tmp_path / "home" / ".prefect"
    home.mkdir(parents=True)
    profile = (
        'active = "cloud"\n[profiles.cloud]\nPREFECT_API_URL = "http://127.0.0.1:9/api"\nPREFECT_API_KEY = "secret"\n'
    )
    (home / "profiles.toml").write_text(profile)
    environment = {"HOME": str(tmp_path / "home"), "PREFECT_PROFILE": "cloud", "CUSTOMERS": "40"}
    with flows("run", tmp_path / "data", **environment) as process:
        output, _ = process.communicate()
    assert process.returncode == 0, output
    assert output.startswith(f"settings: DATA_DIR={tmp_path / 'data'}, CUSTOMERS=40\n")
    assert [path.name for path in home.iterdir()] == ["profiles.toml"]
    assert (home / "profiles.toml").read_text() == profile


@pytest.mark.release
def test_a_person_promotes_a_model_and_rolls_back_with_one_command_each(tmp_path, run_pipeline):
    shop = {"customers": 400, "seed": 3, "horizon_days": 60}
    first = run_pipeline(tmp_path, **shop, as_of=date(2026, 5, 31)).model.version
    second = run_pipeline(tmp_path, **shop).model.version
    champion = tmp_path / "models" / "champion.json"

    def say(*command):
        with flows("models", tmp_path, *command) as process:
            output, _ = process.communicate()
            return process.returncode, output

    assert json.loads(champion.read_text())["model_version"] == second
    status, output = say("rollback")
    assert (status, json.loads(champion.read_text())["model_version"]) == (0, first), output
    # the next run does not undo what a person decided
    again = run_pipeline(tmp_path, **shop)
    assert again.model.version == first
    assert "rolled back" in again.model.trained.verdict.why

    status, output = say("promote", second)
    assert (status, json.loads(champion.read_text())["model_version"]) == (0, second), output
    status, output = say("promote", "nothing")
    assert status == 1
    assert first in output
    assert second in output
