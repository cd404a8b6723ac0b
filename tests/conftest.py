"""What tests share: a Prefect that is nobody's, small shops, and runs of the whole pipeline in this process."""

import atexit
import os
import sys
import tempfile
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings

from flows.commands.local_tools import keep_tools_local
from flows.settings import Settings
from tests.running.processes import left_behind

# Two workers with two threads each would wait for one another on two cores. Before scikit-learn is imported.
os.environ["OMP_NUM_THREADS"] = "1"
# prefect-dbt keeps DuckDB's module alive beyond the end, when its binding complains at length on standard error. Exit
# handlers run last to first, so this one is registered before any other.
atexit.register(lambda: os.dup2(os.open(os.devnull, os.O_WRONLY), 2))
for _name in ("PREFECT_API_URL", "PREFECT_API_KEY", "PREFECT_PROFILE"):
    os.environ.pop(_name, None)
# No test reaches an account of the person who runs it, except those of tests/smoke.
_OF_ACCOUNTS = ("AIRBYTE_", "BREVO_", "DIGEST_", "HUBSPOT_", "KLAVIYO_", "MAILCHIMP_", "TABLEAU_")
for _name in [name for name in os.environ if name == "WAREHOUSE" or name.startswith(_OF_ACCOUNTS)]:
    os.environ.pop(_name)
GIVEN_ACCOUNT = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("SNOWFLAKE_")}
# A busy machine is no fault, and a fault is reported in seconds: to explain it would trace every line from then on.
hypothesis_settings.register_profile(
    "tests", deadline=None, phases=[phase for phase in Phase if phase is not Phase.explain]
)
hypothesis_settings.load_profile("tests")
# All that a session starts carries this, by which its end finds what it has left behind.
_SESSION = os.environ.setdefault("SESSION_OF_TESTS", uuid.uuid4().hex)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Before any test is imported: temporary files of all kinds go where pytest clears up."""
    base = config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    (base / "tmp").mkdir()
    os.environ["TMPDIR"] = tempfile.tempdir = str(base / "tmp")
    keep_tools_local(base)


@pytest.hookimpl(trylast=True)  # when the workers have ended
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A session that leaves a process behind has failed: so would a user's run."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    for process in left_behind("SESSION_OF_TESTS", _SESSION):
        sys.stderr.write(f"\nThe tests have left a process behind: {process}\n")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


# The files that take longest, which begin first, so that no worker waits for another's at the end.
SLOWEST = (
    "integration/runs/test_campaigns", "integration/snowflake/test_parity", "integration/production/test_deployments",
    "integration/snowflake/test_campaigns", "integration/runs/test_processes", "integration/outputs/test_dashboard",
    "integration/runs/test_time", "integration/runs/test_odd_shops", "integration/runs/test_erasure",
    "integration/hubspot/test_shop", "integration/churn/test_regimes",
    "unit/campaigns/test_uplift", "contract/test_dbt_units", "contract/test_recipes", "unit/churn/test_backtest",
)  # fmt: skip
_TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs a Prefect server is marked. The longest files come first, and whole runs before the short tests, which
    fill what is left of the time: with `--no-loadscope-reorder`; else pytest-xdist begins with the files of many tests.
    """

    places = {_TESTS / f"{name}.py": place for place, name in enumerate(SLOWEST)}

    def order(item: pytest.Item) -> tuple[int, bool]:
        return places.get(item.path, len(places)), item.get_closest_marker("whole_run") is None

    for item in items:
        if "prefect_api" in getattr(item, "fixturenames", ()):
            item.add_marker("processes")
    items.sort(key=order)


@pytest.fixture(scope="session")
def run_pipeline() -> Callable[..., Any]:
    """Runs the whole pipeline in this process: run_pipeline(data_dir, customers=300, orders=...) → RunReport."""
    from flows.flow.pipeline import pipeline

    def run(data_dir: Path, retrain: bool = True, **settings: Any) -> Any:
        return pipeline(Settings(data_dir=data_dir, **settings), retrain)

    return run


@pytest.fixture(scope="session")
def _prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    from tests.running.prefect_server import prefect_server

    with prefect_server(tmp_path_factory.mktemp("prefect")) as environment:
        yield environment


@pytest.fixture
def prefect_api(_prefect_server: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a real Prefect server, to which flows report during the test."""
    from prefect.settings import PREFECT_API_URL, PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

    url = _prefect_server["PREFECT_API_URL"]
    monkeypatch.setenv("PREFECT_API_URL", url)
    # logs are sent by a thread that outlives the test, and then the server
    with temporary_settings({PREFECT_API_URL: url, PREFECT_LOGGING_TO_API_ENABLED: False}):
        yield url


@pytest.fixture
def read() -> Callable[[Path, str], pa.Table]:
    """read(data_dir, query): a query's result from the warehouse in a data folder."""
    from flows.adapters.duckdb.warehouse import DuckDBWarehouse

    def query(data_dir: Path, sql: str) -> pa.Table:
        return DuckDBWarehouse(data_dir / "warehouse.duckdb", data_dir / "tmp").read(sql)

    return query


@pytest.fixture(scope="session")
def _moto():
    """moto's server on this machine, which stands in for AWS's."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def aws_server(_moto: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an AWS that is empty at the start of each test, with credentials for it in the environment."""
    urllib.request.urlopen(urllib.request.Request(f"{_moto}/moto-api/reset", method="POST")).close()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "eu-central-1")
    return _moto
