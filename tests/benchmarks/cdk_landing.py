"""The laptop's sync: what landing adds to Airbyte's CDK, and the memory that a million records take."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows.adapters.airbyte.cdk.process import PROGRAM
from flows.settings import REPOSITORY
from tests.benchmarks.measured import Figure, run_python
from tests.examples.cdk_shop import config, write_manifest

RECORDS = 100_000
MANY_RECORDS = 1_000_000

_SERVER = """
import sys, threading
from tests.examples.cdk_shop import answers, pages, row
from tests.running.http_server import answering
with answering(answers(pages([row(i, "2026-11-02T00:00:00Z") for i in range(int(sys.argv[1]))]))) as url:
    print(url, flush=True)
    sys.stdin.read()
"""

_SYNC = """
import duckdb, json, resource, sys
from datetime import UTC, datetime
from pathlib import Path
from flows.adapters.airbyte.cdk.process import Source
from flows.adapters.airbyte.cdk.sync import sync
from flows.sources.connections import Connection, Stream
folder, program, config = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
merged = Stream(sync_mode="incremental_deduped_history", primary_key=("id",), cursor="changed")
shop = Connection(description="", connector="declarative", manifest="shop.yaml", streams=dict(things=merged))
with duckdb.connect(folder / "landed.duckdb") as con:
    source = Source("shop", shop, config, folder / "shop.yaml", folder / "scratch", program)
    synced = sync(con, source, dict(things=frozenset({"name"})), datetime(2026, 1, 1, tzinfo=UTC))
    rows = con.sql("select count(*) from raw_shop.things").fetchall()[0][0]
us = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps(dict(rows=rows, seconds=synced.duration_seconds, cores=us.ru_utime + us.ru_stime,
                      gigabytes=us.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1024**3)))
"""

# as fast as a process can say it, with the messages that the CDK writes
_GENERATOR = """#!{python}
import json, sys
catalog = {catalog}
if sys.argv[1] == "discover":
    print(json.dumps({{"type": "CATALOG", "catalog": {{"streams": catalog}}}}))
    sys.exit()
write = sys.stdout.write
for i in range({records}):
    write('{{"type":"RECORD","record":{{"stream":"things","data":{{"id":"%d","changed":"2026-11-02T00:00:%02dZ",'
          '"name":"Customer number %d","amount":%r,"archived":false,"properties":{{"email":"c%d@example.com",'
          '"stage":"customer"}}}},"emitted_at":1795615754383}}}}\\n' % (i, i % 60, i, i / 7, i))
print('{{"type":"STATE","state":{{"type":"STREAM","stream":{{"stream_descriptor":{{"name":"things"}},'
      '"stream_state":{{"changed":"2026-11-02T00:00:59Z"}}}}}}}}')
print('{{"type":"TRACE","trace":{{"type":"STREAM_STATUS","stream_status":{{"stream_descriptor":{{"name":"things"}},'
      '"status":"COMPLETE"}}}}}}')
"""


def measure(folder: Path) -> Iterator[Figure]:
    manifest = write_manifest(folder)
    with _shop(RECORDS) as url:
        (folder / "config.json").write_text(json.dumps(config(url)))
        catalog = _catalog(folder, manifest)
        alone = _cdk_alone(folder, manifest, catalog)
        landed = _sync(folder, PROGRAM, config(url))
    assert landed["rows"] == RECORDS
    share = landed["cores"] / alone
    yield Figure(
        f"Airbyte's CDK and landing, {RECORDS:,} records over HTTP",
        f"{landed['seconds']:.1f} s, of which {landed['cores']:.1f} core seconds are ours",
        f"the CDK alone, into nothing, {alone:.1f} s",
        "ours < 20 % of the CDK's",
        share < 0.2,
    )
    many = folder / "many"
    many.mkdir()
    write_manifest(many)
    program = many / "generator"
    program.write_text(_GENERATOR.format(python=sys.executable, catalog=repr([catalog]), records=MANY_RECORDS))
    program.chmod(0o700)
    bare = _seconds([str(program), "read"])
    synced = _sync(many, program, {})
    assert synced["rows"] == MANY_RECORDS
    yield Figure(
        f"landing of {MANY_RECORDS:,} generated records",
        f"{synced['seconds']:.1f} s, peak {synced['gigabytes']:.2f} GB",
        f"the generator alone {bare:.1f} s",
        "< 1 GB",
        synced["gigabytes"] < 1,
    )


@contextmanager
def _shop(records: int) -> Iterator[str]:
    """The URL of a server in a process of its own."""
    command = [sys.executable, "-c", _SERVER, str(records)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.communicate()  # the end of its input is its own


def _catalog(folder: Path, manifest: Path) -> dict[str, Any]:
    command = [str(PROGRAM), "discover", "--config", "config.json", "--manifest-path", str(manifest)]
    printed = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout
    (catalog,) = [line["catalog"] for line in map(json.loads, printed.splitlines()) if line["type"] == "CATALOG"]
    things: dict[str, Any] = next(stream for stream in catalog["streams"] if stream["name"] == "things")
    return things


def _cdk_alone(folder: Path, manifest: Path, stream: Mapping[str, Any]) -> float:
    how = {"sync_mode": "incremental", "destination_sync_mode": "append_dedup", "cursor_field": ["changed"]}
    (folder / "catalog.json").write_text(json.dumps({"streams": [{"stream": stream, **how}]}))
    options = ["--config", "config.json", "--catalog", "catalog.json", "--manifest-path", str(manifest)]
    return _seconds([str(PROGRAM), "read", *options], folder)


def _seconds(command: list[str], folder: Path | None = None) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def _sync(folder: Path, program: Path, given: Mapping[str, Any]) -> dict[str, float]:
    printed = run_python("-c", _SYNC, str(folder), str(program), json.dumps(given)).output
    measured: dict[str, float] = json.loads(printed.splitlines()[-1])
    return measured
