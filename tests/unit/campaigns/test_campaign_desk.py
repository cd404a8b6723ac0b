"""The process that answers the campaign page: it starts with a question, and ends by itself."""

import pytest

from flows.adapters.campaign_page.desk import Refusal
from flows.commands import campaign_desk
from flows.commands.campaign_desk import ENDED, NO_RUN, ProcessDesk
from flows.settings import Settings


@pytest.fixture
def desk(tmp_path):
    desk = ProcessDesk(Settings(data_dir=tmp_path / "data"))
    with desk.open():
        yield desk
    assert desk._process is None or not desk._process.is_alive()


def test_without_a_run_it_says_so_makes_no_warehouse_and_starts_again_once_it_has_ended(desk):
    with pytest.raises(Refusal, match=NO_RUN):
        desk.overview()
    assert not desk.settings.warehouse_file.exists()
    first = desk._process
    first.kill()
    first.join()
    with pytest.raises(Refusal, match=NO_RUN):
        desk.overview()
    assert desk._process.pid != first.pid


def test_a_process_that_dies_while_it_is_asked_is_named_and_asked_anew(desk, monkeypatch):
    monkeypatch.setattr(campaign_desk, "work", _dies)
    with pytest.raises(Refusal, match=ENDED):
        desk.overview()
    monkeypatch.undo()
    with pytest.raises(Refusal, match=NO_RUN):
        desk.overview()


def _dies(pipe, settings):
    """As if it had been killed for its memory."""
