"""prefect.yaml on a real Prefect server: what is deployed, that it runs, and who is notified when it fails."""

import json
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from datetime import date

import duckdb
import pytest
import yaml

from flows.settings import REPOSITORY
from tests.running.http_server import answering
from tests.running.image import environment, unpack
from tests.running.prefect_server import prefect_server
from tests.running.processes import process_group
from tests.stand_ins.alert_receivers import answer
from tests.stand_ins.snowflake_server import der, encrypted

pytestmark = pytest.mark.whole_run

LOCAL = ("daily-pipeline", "weekly-training", "monthly-monitoring", "backfill")


class Listener:
    """Slack, as far as it takes alerts."""

    def __init__(self):
        self.reported, self.arrived = [], threading.Event()

    def take(self, headers, body):
        status, said = answer("slack", headers, body)
        if status == 200:
            self.reported.append(json.loads(body))
            self.arrived.set()
        return status, said

    def failures(self):
        """What was reported of runs that failed; a busy machine may be late, and runs may warn."""
        return [told["text"] for told in self.reported if not re.search(r" is Late| warns", told["text"])]


@pytest.fixture(scope="module")
def listener():
    listener = Listener()
    with answering(listener.take) as listener.url:
        yield listener


@pytest.fixture(scope="module")
def prefect(tmp_path_factory, listener):
    """The environment of a machine that reports to a Prefect server of its own, on which everything is deployed."""
    with prefect_server(tmp_path_factory.mktemp("prefect")) as server:
        env = server | {
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PWD": "/",
            "REPOSITORY_URL": REPOSITORY.as_uri(),
            "SNOWFLAKE_BLOCK": "rfm-churn",
            "SOURCE": "my_shop",
            "MODELS": "s3://bucket/models",
            "LOCAL_POOL": "1",
            "ALERTS_TO": "slack",
            "ALERTS_SECRET": listener.url,
        }
        # the open server knows no push pools
        pool = [sys.executable, "-m", "prefect", "--no-prompt", "work-pool", "create", "rfm-churn", "--type", "process"]
        subprocess.run(pool, env=env, check=True, stdout=subprocess.DEVNULL)
        yield env


@pytest.fixture(scope="module")
def deployed(prefect):
    """What `make deploy` says, twice."""
    command = [sys.executable, "-m", "flows", "deploy"]
    return [subprocess.run(command, env=prefect, cwd=REPOSITORY, capture_output=True, text=True) for _ in range(2)]


def ask(prefect, path, **body):
    request = urllib.request.Request(
        f"{prefect['PREFECT_API_URL']}/{path}", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def run(prefect, deployment, job_variables=None, **parameters):
    """Starts a run of a deployment and waits for its end; returns its state."""
    program = (
        "import json, sys; from prefect.deployments import run_deployment\n"
        "run = run_deployment(sys.argv[1], parameters=json.loads(sys.argv[2]),"
        " job_variables=json.loads(sys.argv[3]), timeout=300, poll_interval=1, as_subflow=False)\n"
        "print(run.state.type.value, run.state.message)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, deployment, json.dumps(parameters), json.dumps(job_variables or {})],
        env=prefect, capture_output=True, text=True,
    )  # fmt: skip
    return result.stdout.strip() or result.stderr[-2000:]


def test_what_a_deployment_would_lack_is_named_before_anything_is_changed(prefect):
    env = {name: value for name, value in prefect.items() if name not in ("SOURCE", "MODELS")}
    result = subprocess.run(
        [sys.executable, "-m", "flows", "deploy"], env=env, cwd=REPOSITORY, capture_output=True, text=True
    )
    assert result.returncode == 1
    assert "make deploy needs SOURCE, MODELS" in result.stderr


def test_deploying_again_changes_nothing(deployed):
    first, again = deployed
    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert first.stdout.count("created the automation") == 4
    assert again.stdout.count(" is there") == 7  # two pools, the limit, four automations


def test_every_deployment_has_its_schedule_zone_limit_tags_and_pool(prefect, deployed):
    found = ask(prefect, "deployments/filter")
    by_name = {(d["name"], d["entrypoint"].rsplit(":")[-1]): d for d in found}
    assert len(by_name) == 10
    schedules = {
        flow: [(s["schedule"]["cron"], s["schedule"]["timezone"], s["active"]) for s in d["schedules"]]
        for (name, flow), d in by_name.items()
        if name == "production"
    }
    assert schedules == {
        "daily_pipeline": [("0 5 * * *", "Europe/Berlin", True)],
        "weekly_training": [("0 7 * * 0", "Europe/Berlin", True)],
        "monthly_monitoring": [("0 9 2 * *", "Europe/Berlin", True)],
        "backfill": [],
        "erase": [],
    }
    for (name, _), deployment in by_name.items():
        assert "rfm-churn" in deployment["tags"]
        assert deployment["global_concurrency_limit"]["limit"] == 1
        assert deployment["concurrency_options"]["collision_strategy"] == "ENQUEUE"
        assert deployment["work_pool_name"] == ("rfm-churn" if name == "production" else "rfm-churn-local")
        assert deployment["description"]
    environment = by_name["production", "daily_pipeline"]["job_variables"]["env"]
    assert (environment["WAREHOUSE"], environment["SOURCE"]) == ("snowflake", "my_shop")
    pools = ask(prefect, "work_pools/filter")
    assert {pool["name"]: pool["concurrency_limit"] for pool in pools} == {"rfm-churn": 1, "rfm-churn-local": 1}


def test_prefect_yaml_has_no_key_that_prefect_would_overlook():
    """Prefect ignores what it does not know: a misspelt limit would be no limit."""
    known = {
        "name", "entrypoint", "description", "tags", "schedules", "parameters", "work_pool", "pull",
        "concurrency_limit",
    }  # fmt: skip
    for deployment in yaml.safe_load((REPOSITORY / "prefect.yaml").read_text())["deployments"]:
        assert set(deployment) <= known
        assert set(deployment["work_pool"]) <= {"name", "job_variables"}
        assert all(set(schedule) <= {"cron", "timezone", "slug"} for schedule in deployment["schedules"])


def test_secrets_are_neither_in_prefect_yaml_nor_in_a_deployment(prefect, deployed):
    reported = json.dumps(ask(prefect, "deployments/filter"))
    for word in ("PRIVATE_KEY", "PASSWORD", "prefect.blocks"):
        assert word not in reported
        assert word not in (REPOSITORY / "prefect.yaml").read_text()


def test_a_warning_of_a_run_reaches_those_who_are_told_of_failures(prefect, deployed, listener):
    program = (
        "from prefect import tags; from flows.orchestration import alert, flow, task\n"
        "@flow(name='within')\ndef within(): task(lambda: alert('freshness', ['old orders', 'old contacts']))()\n"
        "with tags('rfm-churn'): within()"
    )
    listener.arrived.clear()
    subprocess.run([sys.executable, "-c", program], env=prefect, cwd=REPOSITORY, check=True, capture_output=True)
    assert listener.arrived.wait(60)
    assert listener.reported.pop() == {"text": "*rfm-churn warns*\nold orders; old contacts"}
    listener.arrived.clear()


def test_a_test_alert_arrives_in_the_form_that_the_receiver_takes(prefect, deployed, listener):
    command = [sys.executable, "-m", "flows", "alert-test"]
    result = subprocess.run(command, env=prefect, cwd=REPOSITORY, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert listener.reported.pop()["text"].startswith("*rfm-churn: a test alert*")
    listener.arrived.clear()


@pytest.mark.release
def test_every_deployment_runs_on_a_worker_and_a_failure_is_reported(prefect, deployed, listener, tmp_path):
    worker_env = prefect | {"DATA_DIR": str(tmp_path / "data"), "CUSTOMERS": "60", "HORIZON_DAYS": "90"}
    for name in ("SNOWFLAKE_BLOCK", "SOURCE", "MODELS"):
        del worker_env[name]
    worker = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "rfm-churn-local", "--type", "process"]
    with process_group(worker, signal.SIGTERM, env=worker_env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        for flow in LOCAL:
            result = run(prefect, f"{flow}/local", **({"as_of": "2026-03-31"} if flow == "backfill" else {}))
            assert result.startswith("COMPLETED"), f"{flow}: {result}"
        with duckdb.connect(tmp_path / "data" / "warehouse.duckdb", read_only=True) as con:
            shown = con.execute("select distinct as_of_date from marts.marketing_customers").fetchall()
            erased = con.execute("select min(customer_id) from marts.marketing_customers").fetchall()[0][0]
            scored = con.execute("select distinct as_of_date from marts.churn_predictions order by 1").fetchall()
        assert shown == [scored[-1]]
        assert scored[0] == (date(2026, 3, 31),)
        assert len(scored) == 2
        assert run(prefect, "erase/local", people=erased).startswith("COMPLETED")
        with duckdb.connect(tmp_path / "data" / "warehouse.duckdb", read_only=True) as con:
            about = f"select count(*) from marts.marketing_customers where customer_id = '{erased}'"
            assert con.execute(about).fetchall() == [(0,)]
        assert listener.failures() == []
        logged = ask(prefect, "logs/filter", logs={"level": {"ge_": 20}}, limit=200)
        assert "everything is as of the end of" in "\n".join(line["message"] for line in logged)
        listener.arrived.clear()
        result = run(prefect, "backfill/local", as_of="1999-01-01")
        assert result.startswith("FAILED")
        assert listener.arrived.wait(30)
    assert all(text.startswith("*rfm-churn: backfill ") for text in listener.failures()), listener.reported
    assert "nothing was known by then" in listener.failures()[0]


def test_a_block_holds_who_we_are_in_snowflake_and_gives_its_key_to_nobody_else(prefect):
    program = """
import sys
from prefect_snowflake import SnowflakeConnector, SnowflakeCredentials
from flows.adapters.snowflake.account import SnowflakeAccount
from flows.errors import SettingsError
from flows.settings import SnowflakeSettings
SnowflakeCredentials(
    account="org-shop", user="service", role="transformer", private_key=sys.argv[1].encode(),
    private_key_passphrase="open sesame", authenticator="snowflake_jwt",
).save("rfm-churn")
SnowflakeConnector(
    credentials=SnowflakeCredentials.load("rfm-churn"), database="shop", warehouse="transform", schema="raw",
).save("rfm-churn")
account = SnowflakeAccount.read(SnowflakeSettings(block="rfm-churn"))
print(account.connection_arguments()["private_key"].hex())
print(account)
try:
    SnowflakeAccount.read(SnowflakeSettings(block="nothing"))
except SettingsError as problem:
    print(problem)
"""
    result = subprocess.run(
        [sys.executable, "-c", program, encrypted(b"open sesame")],
        env=prefect, cwd=REPOSITORY, capture_output=True, text=True,
    )  # fmt: skip
    key, account, problem = result.stdout.splitlines()[-3:]
    assert key == der().hex(), result.stderr
    assert "user='service', role='transformer', warehouse='transform', database='shop', schema='raw'" in account
    assert "SNOWFLAKE_BLOCK=nothing" in problem
    reported = json.dumps(ask(prefect, "block_documents/filter", include_secrets=False))
    assert "open sesame" not in reported
    assert "BEGIN ENCRYPTED" not in reported


@pytest.mark.release
def test_a_run_from_the_image_ends_on_the_worker_that_compose_starts(prefect, deployed, tmp_path):
    """There is no container engine in the tests: the image's steps are carried out, and its worker's command is run."""
    unpack(tmp_path / "image")
    env = prefect | {"RUNS_ON": "machine", "CODE_DIRECTORY": str(tmp_path / "image")}
    again = subprocess.run(
        [sys.executable, "-m", "flows", "deploy"], env=env, cwd=REPOSITORY, capture_output=True, text=True
    )
    assert again.returncode == 0, again.stderr
    compose = yaml.safe_load((REPOSITORY / "docs" / "serving" / "compose.yml").read_text())["services"]["worker"]
    command = [part for part in compose["command"] if part != "--with-healthcheck"]  # its port is fixed
    worker_env = env | environment() | {"PYTHONPATH": str(tmp_path / "image"), "DATA_DIR": str(tmp_path / "data")}
    shop = {"WAREHOUSE": "duckdb", "SOURCE": "simulated_shop", "MODELS": "", "CUSTOMERS": "60", "HORIZON_DAYS": "90"}
    worker = [sys.executable, *command[1:]]
    with process_group(worker, signal.SIGTERM, env=worker_env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        result = run(prefect, "daily-pipeline/production", job_variables={"env": shop})
    assert result.startswith("COMPLETED"), result
    assert (tmp_path / "data" / "warehouse.duckdb").is_file()
