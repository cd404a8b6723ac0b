"""A source that says what a test wants, in place of Airbyte's CDK: one program for `discover` and `read`."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from flows.adapters.airbyte.cdk.process import Source
from flows.adapters.airbyte.cdk.sync import sync
from flows.sources.connections import Connection, Stream

MERGED = Stream(sync_mode="incremental_deduped_history", primary_key=("id",), cursor="changed")
WHOLE = Stream()
DECLARED = {
    "id": {"type": ["string", "null"]},
    "changed": {"type": ["string", "null"], "format": "date-time"},
    "amount": {"type": ["null", "integer"]},
}
STARTED_AT = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)

# A line that begins with ! is an order. `wait` opens a pipe that the test never writes to.
_PROGRAM = """#!{python}
import json, os, pathlib, sys
here = pathlib.Path({folder!r})
command, *options = sys.argv[1:]
given = dict(zip(options[::2], options[1::2]))
seen = dict(argv=sys.argv, pid=os.getpid(), files=dict())
for option, file in given.items():
    text = pathlib.Path(file).read_text()
    seen["files"][option] = [text, oct(os.stat(file).st_mode & 0o777)]
(here / (command + ".seen")).write_text(json.dumps(seen))
for line in (here / (command + ".jsonl")).read_text().splitlines():
    if line.startswith("!exit"):
        sys.exit(int(line.split()[1]))
    elif line.startswith("!stderr"):
        print(line[8:], file=sys.stderr)
    elif line == "!wait":
        open(here / "never").read()
    else:
        print(line, flush=True)
"""


def record(stream="things", emitted_at=1_795_615_754_383, **data):
    body = {"type": "RECORD", "record": {"stream": stream, "data": data, "emitted_at": emitted_at}}
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def state(cursor, stream="things"):
    of_stream = {"stream_descriptor": {"name": stream}, "stream_state": {"changed": cursor}}
    return json.dumps({"type": "STATE", "state": {"type": "STREAM", "stream": of_stream}})


def complete(stream="things"):
    status = {"stream_descriptor": {"name": stream}, "status": "COMPLETE"}
    return json.dumps({"type": "TRACE", "trace": {"type": "STREAM_STATUS", "stream_status": status}})


def failure(words, stream="things", kind="config_error"):
    error = {"message": words, "failure_type": kind, "stream_descriptor": {"name": stream}}
    return json.dumps({"type": "TRACE", "trace": {"type": "ERROR", "error": error}})


def logged(level, words):
    return json.dumps({"type": "LOG", "log": {"level": level, "message": words}})


class FakeSource:
    """Lives in `folder`. `sync` reads it into a warehouse; `seen` is what the program was started with."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.program = folder / "source"
        self.program.write_text(_PROGRAM.format(python=sys.executable, folder=str(folder)))
        self.program.chmod(0o700)
        self.manifest = folder / "shop.yaml"
        self.manifest.write_text("{}")
        os.mkfifo(folder / "never")
        self.declares()

    def declares(self, columns=None, stream="things", **more):
        declared = {stream: columns or DECLARED, **more}
        streams = [
            {"name": name, "json_schema": {"properties": of}, "supported_sync_modes": ["full_refresh", "incremental"]}
            for name, of in declared.items()
        ]
        self._write("discover", [json.dumps({"type": "CATALOG", "catalog": {"streams": streams}})])

    def prints(self, *lines):
        self._write("read", lines)

    def seen(self, command="read"):
        return json.loads((self.folder / f"{command}.seen").read_text())

    def state_given(self):
        text, _ = self.seen()["files"]["--state"]
        return {of["stream"]["stream_descriptor"]["name"]: of["stream"]["stream_state"] for of in json.loads(text)}

    def source(self, streams=None, config=None):
        connection = Connection(
            description="a shop", connector="declarative", manifest="x", personal_records="stg_shop__records",
            streams=streams or {"things": MERGED},
        )  # fmt: skip
        return Source("shop", connection, config or {}, self.manifest, self.folder / "scratch", self.program)

    def sync(self, con, streams=None, required=None, config=None, started_at=STARTED_AT, batch_records=50_000):
        columns = {name: frozenset(columns) for name, columns in (required or {}).items()}
        return sync(con, self.source(streams, config), columns, started_at, batch_records)

    def _write(self, command, lines):
        (self.folder / f"{command}.jsonl").write_text("".join(f"{line}\n" for line in lines))
