"""Files of customers that are scored meanwhile."""

import gzip
import io
import json
import os
import time

import pyarrow.parquet as pq
import pytest

from flows.adapters.files import jobs as file_jobs
from flows.adapters.files.jobs import FileJobs
from flows.settings import Settings
from functions.churn_api import job_routes
from functions.churn_api.access import Access, ApiKeys
from functions.churn_api.customers import Reading
from functions.churn_api.fast_path import create_api
from functions.churn_api.predictions import COLUMNS
from functions.clock import now
from tests.running.serving import ORDERS, LocalClient, MemoryQueue, customer, service

LINES = {"content-type": "application/x-ndjson"}
PARQUET = {"accept": "application/vnd.apache.parquet"}

pytestmark = pytest.mark.usefixtures("shipped_model")


@pytest.fixture
def queue():
    return MemoryQueue()


@pytest.fixture
def api(queue, tmp_path):
    api = service(queue)
    api.jobs = FileJobs(
        tmp_path / "jobs",
        lambda of: Reading(api.current_day(), of.scorer.horizon_days, api.time_zone),
        lambda: api.predictor,
        now,
    )
    return api


@pytest.fixture
def client(api):
    with api.jobs.working(), LocalClient(create_api(api)) as client:
        yield client


def lines(*customers):
    return "\n".join(json.dumps(one) for one in customers).encode() + b"\n"


def begin(client, content, **headers):
    answer = client.post("/v1/jobs", content=content, headers=LINES | headers)
    assert answer.status_code == 202, answer.text
    return answer.headers["location"]


def finished(client, place):
    """The job, once it is over."""
    begun = time.monotonic()
    while (job := client.get(place).json())["status"] in ("waiting", "running"):
        assert time.monotonic() < begun + 30, job
        time.sleep(0.005)
    return job


def done(client, content, **headers):
    """(what the job has counted, its result)."""
    place = begin(client, content, **headers)
    job = finished(client, place)
    assert job["status"] == "done", job
    counts = job["scored"], job["rejected"], job["not_stored"]
    return counts, [json.loads(line) for line in client.get(f"{place}/result").content.splitlines()], place


HISTORY = {"customer_id": "H", "as_of": "2026-06-30", "orders": ORDERS}


def test_a_job_answers_more_customers_than_a_request_may_have_and_as_a_request_would(client, queue):
    customers = [customer(f"C{n}", recency_days=n % 300) for n in range(1_100)] + [HISTORY]
    counts, predictions, _ = done(client, lines(*customers))
    assert counts == (1_101, 0, 0)
    some = slice(600, 1_101)
    assert predictions[some] == client.post("/predict", json=customers[some]).json()
    assert {record.prediction_id for record in queue.records} == {p["prediction_id"] for p in predictions}


def test_a_line_that_does_not_fit_is_rejected_alone_with_its_number_and_why(client, monkeypatch):
    monkeypatch.setattr(file_jobs, "MAX_LINE_BYTES", 5_000)
    monkeypatch.setattr(file_jobs, "CUSTOMERS_AT_ONCE", 2)
    good, bad = customer("A"), customer("B", recency_days=-1)
    content = lines(good, bad) + b'\n{"customer_id": "C", \n\xff\n[1]\n' + b"x" * 20_000 + b"\n" + lines(customer("D"))
    counts, results, place = done(client, content)
    assert counts == (2, 5, 0)
    assert [result["customer_id"] for result in results] == ["A", "B", None, None, None, None, "D"]
    assert results[1]["line"] == 2
    assert results[1]["errors"][0]["pointer"] == "/features/recency_days"
    assert [result["line"] for result in results[2:6]] == [4, 5, 6, 7]
    table = pq.read_table(io.BytesIO(client.get(f"{place}/result", headers=PARQUET).content))
    assert table.column_names == [*COLUMNS, "error"]
    assert "line 2: /features/recency_days" in table["error"][1].as_py()
    assert table["prediction_id"].to_pylist()[::6] == [results[0]["prediction_id"], results[6]["prediction_id"]]


def test_a_file_may_be_gzipped_in_several_members(client):
    content = lines(customer("A"), customer("B"))
    packed = gzip.compress(content[:700]) + gzip.compress(content[700:])
    assert done(client, packed, **{"content-encoding": "gzip"})[0] == (2, 0, 0)


@pytest.mark.parametrize(
    ("content", "headers", "code"),
    [
        (b"{}", {"content-type": "application/json"}, "media_type_unsupported"),
        (b"{}", {"content-encoding": "br"}, "media_type_unsupported"),
        (b"{}", {"content-encoding": "gzip"}, "request_unreadable"),
        (gzip.compress(b"{}" * 99, mtime=0)[:-9], {"content-encoding": "gzip"}, "request_unreadable"),
        (b" " * 3_000_000, {}, "body_too_large"),
        (gzip.compress(b" " * 3_000_000, mtime=0), {"content-encoding": "gzip"}, "body_too_large"),
    ],
)
def test_a_file_that_cannot_be_taken_leaves_nothing_behind(client, api, monkeypatch, content, headers, code):
    monkeypatch.setattr(job_routes, "MAX_JOB_BYTES", 2_000_000)
    answer = client.post("/jobs", content=content, headers=LINES | headers)
    assert answer.json()["code"] == code
    assert list(api.jobs.folder.glob("*")) == []


def test_a_job_is_its_callers_alone_and_unknown_to_others(api):
    api.access = Access(ApiKeys(lambda: json.dumps({"shop": "s" * 30, "crm": "c" * 30})))
    with api.jobs.working(), LocalClient(create_api(api)) as client:
        place = begin(client, lines(customer()), **{"x-api-key": "s" * 30})
        assert client.get(place).status_code == 401
        assert client.get(place, headers={"x-api-key": "c" * 30}).status_code == 404
        assert client.get(f"{place}/result", headers={"x-api-key": "c" * 30}).status_code == 404
        assert client.get(place, headers={"x-api-key": "s" * 30}).status_code == 200
        for other in ("..", "0" * 32, "x"):
            assert client.get(f"/jobs/{other}", headers={"x-api-key": "s" * 30}).status_code == 404


def test_a_job_that_a_stop_interrupted_is_done_after_the_next_start(api):
    with LocalClient(create_api(api)) as client:
        place = begin(client, lines(customer("A")))  # nobody works on it
        early = client.get(f"{place}/result")
        assert (early.status_code, early.json()["code"], early.headers["retry-after"]) == (409, "job_unfinished", "2")
        (api.jobs.folder / ("0" * 32)).mkdir()  # of an upload that was never whole
        started_again = FileJobs(api.jobs.folder, api.jobs.reading, api.jobs.predictor, now)
        with started_again.working():
            assert finished(client, place)["status"] == "done"
        (place,) = api.jobs.folder.iterdir()
        assert sorted(file.name for file in place.iterdir()) == ["job.json", "result.jsonl", "result.parquet"]


def test_a_job_is_kept_for_a_day_and_a_hundred_at_a_time(client, api, monkeypatch):
    _, _, place = done(client, lines(customer()))
    monkeypatch.setattr(file_jobs, "MAX_JOBS", 1)
    refused = client.post("/jobs", content=b"", headers=LINES)
    assert (refused.status_code, refused.json()["code"]) == (503, "too_many_jobs")
    folder = api.jobs.folder / place.rpartition("/")[2]
    os.utime(folder, (0, 0))
    done(client, lines(customer()))
    assert not folder.exists()


def test_what_could_not_be_stored_is_counted(client, queue):
    queue.down = True
    assert done(client, lines(customer()))[0] == (1, 0, 1)


def test_a_job_that_fails_says_so_and_the_next_one_is_done(client, monkeypatch):
    monkeypatch.setattr(FileJobs, "_score", lambda *_: 1 / 0)
    place = begin(client, lines(customer()))
    job = finished(client, place)
    assert (job["status"], "on our side" in job["problem"]) == ("failed", True)
    monkeypatch.undo()
    assert done(client, lines(customer()))[0] == (1, 0, 0)


def test_where_there_are_no_jobs_the_path_is_unknown():
    with LocalClient(create_api(service())) as client:
        assert client.post("/v1/jobs", content=b"", headers=LINES).status_code == 404


def test_the_files_of_jobs_are_among_what_an_erasure_removes(tmp_path):
    settings = Settings(data_dir=tmp_path)
    assert settings.jobs_folder in settings.copies
