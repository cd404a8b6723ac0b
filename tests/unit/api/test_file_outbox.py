import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from datetime import date

import pytest

from flows.adapters.files import outbox as box
from flows.adapters.files.outbox import FileOutbox
from flows.settings import REPOSITORY
from functions.churn_api.fast_reading import read_fast
from functions.churn_api.predictions import as_json, predict
from functions.churn_api.predictor import NotStored
from tests.running.serving import NOW, customer, service


@pytest.fixture(scope="module")
def predictions(shipped_model):
    """predictions(ids): a JSON list of predictions, as it is put."""
    scorer = service().model.scorer

    def of(*ids):
        to_score = read_fast(json.dumps([customer(i) for i in ids]).encode(), date(2026, 7, 1))
        (given,) = predict(scorer, [to_score])
        return as_json(given, FileOutbox.together)

    return of


@pytest.fixture
def outbox(tmp_path):
    box = FileOutbox(tmp_path / "outbox")
    yield box
    box.close()


class Mart:
    def __init__(self):
        self.ids, self.busy = [], False

    def merge(self, records):
        if self.busy:
            raise ConnectionError("busy")
        self.ids += [record.customer_id for record in records]


def test_what_was_put_is_merged_once(outbox, predictions):
    mart = Mart()
    outbox.put("api", NOW, predictions("A", "B"))
    outbox.put("api", NOW, predictions("C"))
    assert outbox.waits()
    outbox.close()
    assert outbox.merge_into(mart.merge) == (3, 0)
    assert sorted(mart.ids) == ["A", "B", "C"]
    assert not outbox.waits()
    assert outbox.merge_into(mart.merge) == (0, 0)


def test_a_file_that_is_written_to_is_left_alone(outbox, predictions, tmp_path):
    mart = Mart()
    outbox.put("api", NOW, predictions("A"))
    assert FileOutbox(tmp_path / "outbox").merge_into(mart.merge) == (0, 0)
    assert outbox.waits()


def test_a_merge_that_fails_loses_nothing(outbox, predictions):
    mart = Mart()
    outbox.put("api", NOW, predictions("A"))
    outbox.close()
    mart.busy = True
    with pytest.raises(ConnectionError):
        outbox.merge_into(mart.merge)
    mart.busy = False
    assert outbox.merge_into(mart.merge) == (1, 0)


def test_a_line_that_does_not_fit_is_moved_away_and_the_others_are_merged(outbox, predictions, caplog):
    mart = Mart()
    outbox.put("api", NOW, predictions("A"))
    outbox.close()
    (file,) = outbox.folder.glob("*.jsonl")
    with open(file, "ab") as text:
        text.write(b'{"what": 1}\n' + b'{"an unfinished li')
    outbox.put("api", NOW, predictions("B"))
    outbox.close()
    assert outbox.merge_into(mart.merge) == (2, 1)
    assert sorted(mart.ids) == ["A", "B"]
    assert outbox.refused.read_bytes() == b'{"what": 1}\n'
    assert f"1 lines of {file.name} do not fit and are kept in {outbox.refused}: message, source" in caplog.text
    assert (outbox.waits(), outbox.refused_lines()) == (False, 1)


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path, predictions):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotStored, match="file/outbox"):
        FileOutbox(tmp_path / "file" / "outbox").put("api", NOW, predictions("A"))


def test_a_server_without_free_descriptors_still_stores(outbox, predictions):
    outbox.put("api", NOW, predictions("A"))
    outbox.close()  # as a merge does
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, limits[0]), limits[1]))
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        outbox.put("api", NOW, predictions("B"))
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    mart = Mart()
    outbox.close()
    assert outbox.merge_into(mart.merge) == (2, 0)


def test_a_full_disk_leaves_one_file_and_no_broken_line(outbox, predictions):
    outbox.put("api", NOW, predictions("A"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(predictions("A")[0]) + 200, limits[1]))
        for _ in range(5):
            with pytest.raises(NotStored):
                outbox.put("api", NOW, predictions("B"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    outbox.put("api", NOW, predictions("C"))
    assert len(list(outbox.folder.iterdir())) == 1
    mart = Mart()
    outbox.close()
    outbox.merge_into(mart.merge)
    assert mart.ids == ["A", "C"]


def test_while_the_disk_is_full_merges_make_no_new_files(outbox, predictions):
    outbox.put("api", NOW, predictions("A"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    mart = Mart()
    mart.busy = True  # as a warehouse is that cannot be written to
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
        for _ in range(5):
            with pytest.raises(NotStored):
                outbox.put("api", NOW, predictions("B"))
            outbox.close()
            with pytest.raises(ConnectionError):
                outbox.merge_into(mart.merge)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert len(list(outbox.folder.iterdir())) == 2
    outbox.put("api", NOW, predictions("C"))
    outbox.close()
    mart.busy = False
    outbox.merge_into(mart.merge)
    assert sorted(mart.ids) == ["A", "C"]


def test_a_full_file_is_left_for_the_merge_and_another_one_begun(outbox, predictions, monkeypatch):
    monkeypatch.setattr(box, "MAX_FILE_BYTES", 2 * len(predictions("A")[0]))
    for name in "ABCDE":
        outbox.put("api", NOW, predictions(name))
    assert len(list(outbox.folder.glob("*.jsonl"))) == 3
    mart = Mart()
    assert outbox.merge_into(mart.merge) == (4, 0)  # the last one is written to
    assert sorted(mart.ids) == ["A", "B", "C", "D"]


def test_a_large_file_is_merged_in_slices_and_again_after_an_interruption(outbox, predictions, monkeypatch):
    monkeypatch.setattr(box, "SLICE_BYTES", 2 * len(predictions("A")[0]))
    for name in "ABCDE":
        outbox.put("api", NOW, predictions(name))
    outbox.close()
    sizes = []

    def interrupted(records):
        sizes.append(len(records))
        if len(sizes) == 2:
            raise ConnectionError

    with pytest.raises(ConnectionError):
        outbox.merge_into(interrupted)
    mart = Mart()
    assert outbox.merge_into(mart.merge) == (5, 0)
    assert mart.ids == ["A", "B", "C", "D", "E"]
    assert max(sizes) == 2


def test_a_merge_begins_no_other_file_once_its_time_is_over(outbox, predictions):
    for name in "AB":
        outbox.put("api", NOW, predictions(name))
        outbox.close()
    mart = Mart()
    assert outbox.merge_into(mart.merge, seconds=-1) == (0, 0)
    assert outbox.merge_into(mart.merge, seconds=60) == (2, 0)


KILLED_AT_ANY_POINT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from flows.adapters.files import outbox as box
from flows.adapters.files.outbox import FileOutbox
box, answer = FileOutbox(Path(sys.argv[1])), sys.stdin.buffer.readline().strip()
number = 0
while True:
    box.put("api", datetime(2026, 7, 1, tzinfo=UTC), [answer.replace(b'"A"', b'"A%d"' % number)])
    print(number, flush=True)
    number += 1
"""


@pytest.mark.parametrize("acknowledged", [1, 7, 100])
def test_a_killed_process_loses_nothing_that_was_acknowledged(tmp_path, predictions, acknowledged):
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED_AT_ANY_POINT, str(tmp_path / "outbox")],
        cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    process.stdin.write(predictions("A")[0].decode() + "\n")
    process.stdin.flush()
    for _ in range(acknowledged):
        last = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    last = max([last, *map(int, process.stdout.read().split("\n")[:-1])])
    process.wait()
    process.stdin.close()
    process.stdout.close()
    mart = Mart()
    FileOutbox(tmp_path / "outbox").merge_into(mart.merge)
    assert {f"A{number}" for number in range(last + 1)} <= set(mart.ids)
