"""What scheduled flows do when something fails, when data is old, and when people are to be erased."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from flows import production
from flows.errors import BadInput, SettingsError, TableauUnreachable
from flows.ports.syncs import SyncFailed
from flows.settings import Settings
from flows.sources.data_age import DataAge


@pytest.fixture
def pauses(monkeypatch):
    """The pauses that were made, none of which takes any time."""
    made = []
    monkeypatch.setattr(production.time, "sleep", made.append)
    return made


@pytest.fixture
def daily(monkeypatch, tmp_path, pauses):
    """daily(*outcomes): runs the daily flow, whose pipeline ends so try by try. Returns the settings of each try."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setattr(production, "publish_to_tableau", lambda _: None)
    monkeypatch.setattr(production, "activate_segments", lambda _: sent.append("sent"))
    tries, sent = [], []

    def run(*outcomes):
        def pipeline(settings, retrain):
            assert not retrain
            tries.append(settings)
            outcome = outcomes[len(tries) - 1]
            if isinstance(outcome, Exception):
                raise outcome
            return SimpleNamespace(age=outcome)

        monkeypatch.setattr(production, "pipeline", pipeline)
        production.daily_pipeline.fn()
        return tries

    run.tries, run.sent = tries, sent
    return run


def test_a_server_that_does_not_respond_is_asked_again_after_half_an_hour(daily, pauses):
    assert len(daily(TableauUnreachable("gone"), SyncFailed("failed"), DataAge())) == 3
    assert pauses == [1800, 1800]
    assert daily.sent == ["sent"]


def test_what_keeps_failing_fails_with_its_own_error_after_three_tries(daily, pauses):
    with pytest.raises(SyncFailed, match="third"):
        daily(SyncFailed("first"), SyncFailed("second"), SyncFailed("third"))
    assert pauses == [1800, 1800]
    assert daily.sent == []


@pytest.mark.parametrize("error", [SettingsError("a"), BadInput("b"), SyncFailed("c", may_pass=False), ValueError()])
def test_what_another_try_cannot_mend_fails_at_once(daily, pauses, error):
    with pytest.raises(type(error)):
        daily(error)
    assert (len(daily.tries), pauses) == (1, [])


def test_only_the_last_try_goes_on_with_stale_data(daily, monkeypatch):
    monkeypatch.setenv("SYNC_FAILED", "stale")
    tries = daily(SyncFailed("first"), SyncFailed("second"), DataAge())
    assert [settings.sync_failed for settings in tries] == ["stop", "stop", "stale"]


def test_a_sync_that_cannot_be_mended_goes_on_with_stale_data_at_once(daily, monkeypatch, pauses):
    monkeypatch.setenv("SYNC_FAILED", "stale")
    assert len(daily(SyncFailed("no such connection", may_pass=False), DataAge())) == 2
    assert pauses == []


def test_during_a_pause_other_runs_have_the_warehouse(daily, monkeypatch):
    held, held_in_pauses = [], []

    @contextmanager
    def one_at_a_time():
        held.append("by this run")
        try:
            yield
        finally:
            held.pop()

    monkeypatch.setattr(production, "one_at_a_time", one_at_a_time)
    monkeypatch.setattr(production.time, "sleep", lambda _: held_in_pauses.append(list(held)))
    daily(SyncFailed("first"), DataAge())
    assert held_in_pauses == [[]]


def test_old_data_is_scored_but_not_sent_and_says_so(daily, monkeypatch, caplog):
    monkeypatch.setenv("DESTINATION", "csv")
    daily(DataAge(why_nothing_is_sent="the newest order is of 2026-01-01, 9 days ago"))
    assert daily.sent == []
    assert "nothing is sent to csv: the newest order is of 2026-01-01, 9 days ago" in caplog.text


def test_the_digest_is_the_last_thing_that_a_run_does_also_where_data_is_old(daily, monkeypatch):
    monkeypatch.setattr(production, "send_weekly_digest", lambda settings: daily.sent.append(type(settings)))
    daily(DataAge())
    assert daily.sent == ["sent", Settings]
    daily.tries.clear()
    monkeypatch.setenv("DESTINATION", "csv")
    daily(DataAge(why_nothing_is_sent="old"))
    assert daily.sent == ["sent", Settings, Settings]


@pytest.fixture
def erased(monkeypatch, tmp_path):
    """erased(people): whom the flow erases."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    found = []

    def erase_people(settings, names):
        assert isinstance(settings, Settings)
        found.extend(names)
        yield "3 rows"

    monkeypatch.setattr(production, "erase_people", erase_people)

    def run(people):
        production.erase.fn(people)
        return found

    return run


def test_people_to_erase_are_named_in_a_text(erased):
    assert erased("anna@example.org\n4711\n") == ["anna@example.org", "4711"]


def test_people_to_erase_are_named_in_a_file(erased, tmp_path):
    (tmp_path / "people.txt").write_text("customer_id\n4711\n", encoding="utf-8-sig")
    assert erased(str(tmp_path / "people.txt")) == ["4711"]
    with pytest.raises(SettingsError, match="There is no file"):
        erased(str(tmp_path / "nobody.txt"))


def test_an_error_of_an_erasure_shows_prefect_no_address(monkeypatch, tmp_path):
    def refuse(settings, names):
        raise BadInput("these addresses are of several customers: anna@example.org of 3")
        yield

    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setattr(production, "erase_people", refuse)
    with pytest.raises(BadInput, match=r"a•••@example\.org of 3"):
        production.erase.fn("anna@example.org")
