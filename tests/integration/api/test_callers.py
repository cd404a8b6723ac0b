"""The calls that docs/api.md shows, executed as they are written there against a running server."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from flows.settings import REPOSITORY
from tests.integration.api.test_serving import serving
from tests.running.processes import post
from tests.running.serving import by_columns, customer

PAGE = (REPOSITORY / "docs" / "api.md").read_text()
AIRFLOW = Path(sys.prefix) / "airflow" / "bin"
KEY = "k" * 32


def shown(heading, language):
    """The block of code under a heading of the page."""
    (section,) = re.findall(rf"^### {heading}\n.*?(?=^##)", PAGE, re.M | re.S)
    (code,) = re.findall(rf"```{language}\n(.*?)```", section, re.S)
    return code


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The URL of a server that wants KEY."""
    keys = {"API_KEYS": json.dumps({"documents": KEY})}
    with serving(tmp_path_factory.mktemp("serve"), **keys) as (process, url, _):
        with pytest.raises(Exception, match="401") as refused:
            post(f"{url}/predict", customer(), process)
        refused.value.close()
        yield url


def here(code, url):
    assert "https://churn.example" in code
    return code.replace("https://churn.example", url)


def test_curl(server):
    code = here(shown("curl", "sh"), server)
    result = subprocess.run(
        ["bash", "-euc", code], env={**os.environ, "CHURN_API_KEY": KEY}, capture_output=True, text=True, check=True
    )
    (answer,) = json.loads(result.stdout)
    assert 0 < answer["churn_probability"] < 1
    assert answer["stored"]


def test_a_file_of_a_spreadsheet(server, tmp_path):
    (tmp_path / "orders.csv").write_text("customer_id;as_of;ordered_at;amount\nC1;2026-06-30;2026-06-01;82,5\n")
    command, environment = here(shown("CSV", "sh"), server), {**os.environ, "CHURN_API_KEY": KEY}
    result = subprocess.run(
        ["bash", "-euc", command], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    header, row = result.stdout.splitlines()
    assert (header.split(",")[:2], row.split(",")[0]) == (["customer_id", "prediction_id"], "C1")


def test_a_job(server, tmp_path):
    (tmp_path / "customers.jsonl").write_text(json.dumps(customer("C1")) + "\n")
    command, environment = here(shown("Jobs", "sh"), server), {**os.environ, "CHURN_API_KEY": KEY}
    subprocess.run(["bash", "-euc", command], env=environment, cwd=tmp_path, check=True, timeout=60)
    assert pq.read_table(tmp_path / "predictions.parquet")["customer_id"].to_pylist() == ["C1"]


def test_python(server, monkeypatch, capsys):
    monkeypatch.setenv("CHURN_API_KEY", KEY)
    exec(here(shown("Python", "python"), server), {})
    assert "high" in capsys.readouterr().out


def test_a_data_frame(server, monkeypatch, capsys, tmp_path):
    customers = pd.DataFrame(by_columns([customer("01"), customer("02", recency_days=40, max_gap_days=None)]))
    customers.assign(as_of_date="2026-06-30").to_csv(tmp_path / "customer_features.csv", index=False)
    monkeypatch.setenv("CHURN_API_KEY", KEY)
    monkeypatch.chdir(tmp_path)
    exec(here(shown("Columns", "python"), server), {})
    printed = capsys.readouterr().out
    assert [line.split()[1] for line in printed.splitlines()[1:]] == ["01", "02"]


def test_columns_by_curl(server, tmp_path):
    (tmp_path / "columns.json").write_text(json.dumps(by_columns([customer("C1"), customer("C2")])))
    command, environment = here(shown("Columns", "sh"), server), {**os.environ, "CHURN_API_KEY": KEY}
    result = subprocess.run(
        ["bash", "-euc", command], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert [prediction["customer_id"] for prediction in json.loads(result.stdout)] == ["C1", "C2"]


def test_a_custom_coded_action_of_hubspot(server, monkeypatch):
    monkeypatch.setenv("CHURN_API_KEY", KEY)
    action = {}
    exec(here(shown("HubSpot", "python"), server), action)
    orders = json.dumps([{"ordered_at": "2026-01-05", "amount": 40}, {"ordered_at": "2026-03-02", "amount": 25.5}])
    event = {"inputFields": {"customer_id": "C1", "orders": orders}}
    fields = action["main"](event)["outputFields"]
    assert fields["risk_band"] in ("low", "medium", "high")
    assert 0 < fields["churn_probability"] < 1
    assert "risk" in fields["reason"]


@pytest.mark.whole_run
@pytest.mark.skipif(not AIRFLOW.exists(), reason="no Airflow: `make airflow` installs one in an environment of its own")
def test_an_operator_of_airflow(server, tmp_path):
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "churn.py").write_text(shown("Airflow", "python"))
    host, _, port = server.rpartition(":")
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "AIRFLOW_HOME": str(tmp_path), "NO_COLOR": "1",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW_CONN_CHURN_API": json.dumps(
            {"conn_type": "http", "host": host, "port": int(port), "password": KEY}
        ),
    }  # fmt: skip

    def airflow(*command):
        done = subprocess.run(
            [AIRFLOW / "airflow", *command], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    airflow("db", "migrate")
    airflow("dags", "reserialize")
    result = airflow("dags", "test", "score_customers")
    assert "state=success" in result or "state:success" in result, result[-3000:]
    assert re.search(r"Returned value was: .*C000042|C000042.*(low|medium|high)", result), result[-3000:]
