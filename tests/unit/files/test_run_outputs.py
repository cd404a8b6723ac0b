"""One suite for a folder and for S3 (moto's server on this machine stands in for AWS's)."""

from datetime import date

import boto3
import pytest
from pyarrow import fs

from flows.adapters.files.run_outputs import ABOUT_CUSTOMERS, put_outputs, remove_customers
from flows.adapters.files.store import FileStore
from flows.settings import Settings

FILES = {
    "dashboard.html": b"<html>",
    "customers_to_contact.csv": b"customer_id",
    "dbt/run_results.json": b"{}",
}
MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)


@pytest.fixture(params=["folder", "s3"])
def store(request, tmp_path):
    if request.param == "folder":
        return FileStore(str(tmp_path / "outputs"))
    server = request.getfixturevalue("aws_server").removeprefix("http://")
    options = f"endpoint_override={server}&scheme=http&region=us-east-1&allow_bucket_creation=true"
    files, _ = fs.FileSystem.from_uri(f"s3://outputs?{options}")
    files.create_dir("outputs")
    return FileStore(f"s3://outputs/shop?{options}")


def test_each_day_is_kept_and_the_last_run_is_latest_too(store):
    put_outputs(store, MONDAY, FILES, is_latest=True)
    put_outputs(store, TUESDAY, {**FILES, "dashboard.html": b"<html>tuesday"}, is_latest=True)
    assert sorted(store.folders()) == ["2026-11-23", "2026-11-24", "latest"]
    assert store.read("2026-11-23/dashboard.html") == b"<html>"
    assert store.read("latest/dashboard.html") == b"<html>tuesday"
    assert store.read("2026-11-24/dbt/run_results.json") == b"{}"


def test_the_same_day_again_replaces_its_files(store):
    put_outputs(store, MONDAY, FILES, is_latest=True)
    put_outputs(store, MONDAY, {"dashboard.html": b"again"}, is_latest=True)
    assert store.read("2026-11-23/dashboard.html") == b"again"


def test_a_past_day_does_not_become_the_latest(store):
    put_outputs(store, TUESDAY, FILES, is_latest=True)
    put_outputs(store, MONDAY, {"dashboard.html": b"past"}, is_latest=False)
    assert store.read("latest/dashboard.html") == b"<html>"


def test_an_erasure_removes_what_shows_customers_from_every_day_and_leaves_the_rest(store):
    put_outputs(store, MONDAY, FILES, is_latest=True)
    assert len(list(remove_customers(store))) == 4
    assert not store.exists("latest/customers_to_contact.csv")
    assert not store.exists("2026-11-23/dashboard.html")
    assert store.exists("2026-11-23/dbt/run_results.json")
    assert list(remove_customers(store)) == []


def test_what_a_run_shows_of_customers_is_what_an_erasure_removes(tmp_path):
    settings = Settings(data_dir=tmp_path)
    shown = {file.name for file in (settings.dashboard_file, settings.contacts_file, settings.workbook_file)}
    assert shown == set(ABOUT_CUSTOMERS)


def test_links_lead_to_a_path_or_to_the_console_which_asks_who_one_is(store):
    (page, *_) = put_outputs(store, MONDAY, FILES, is_latest=True)
    if store.folder:
        assert page.link == f"{store.folder}/2026-11-23/dashboard.html"
    else:
        console = "https://console.aws.amazon.com/s3/object/outputs"
        assert page.link == f"{console}?prefix=shop/2026-11-23/dashboard.html"


def test_a_browser_shows_a_page_from_a_bucket(aws_server):
    options = f"endpoint_override={aws_server.removeprefix('http://')}&scheme=http&region=us-east-1"
    bucket = boto3.client("s3", endpoint_url=aws_server, region_name="us-east-1")
    bucket.create_bucket(Bucket="outputs")
    put_outputs(FileStore(f"s3://outputs?{options}"), MONDAY, FILES, is_latest=True)
    found = bucket.head_object(Bucket="outputs", Key="latest/dashboard.html")
    assert found["ContentType"] == "text/html"
    assert not [o for o in bucket.list_objects_v2(Bucket="outputs")["Contents"] if o["Key"].endswith(".draft")]
