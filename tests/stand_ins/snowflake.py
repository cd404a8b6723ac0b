"""A stand-in for Snowflake, as a process: `python -m tests.stand_ins.snowflake PORT DATABASE`.

It is fakesnow's server, which speaks to the real connector and to dbt-snowflake and has DuckDB inside, with:
- repairs without which it cannot run dbt (each says what Snowflake does instead);
- logins by key pair that are verified, as Snowflake verifies them;
- `predict_churn`, an external function that sends Snowflake's own requests to an API: batches of random sizes, some of
  them twice;
- faults on demand: statements that are refused, connections that drop, statements that never end.

A test steers it by POST to /stand_in (see `Control`), reads the statements that came from GET /stand_in, and waits for
one that hangs by GET /stand_in?hanging.
"""

import asyncio
import base64
import gzip
import hashlib
import json
import random
import re
import shutil
import sys
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import fakesnow.arrow
import fakesnow.copy_into
import fakesnow.info_schema
import fakesnow.server
import fakesnow.transforms
import pyarrow as pa
import pyarrow.compute as pc
import uvicorn
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.instance import FakeSnow
from fakesnow.transforms import stage
from snowflake.connector.errors import Error, ProgrammingError
from sqlglot import exp
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

# Statements about accounts and rights: Snowflake's own, of which DuckDB has none. They are logged, and do nothing.
ADMINISTRATION = (
    r"\s*(grant|revoke)\b",
    r"\s*(create|alter|drop)\s+(or\s+replace\s+)?(role|user|warehouse|resource\s+monitor|network\s+policy)\b",
    r"\s*alter\s+session\b",
    r"\s*create\s+or\s+replace\s+function\b",  # in Python, with a model: its handler has tests of its own
)
PACKAGES = """(values
    ('numpy', '1.26.4', 'python', '3.11'), ('numpy', '2.2.5', 'python', '3.11'), ('numpy', '2.3.1', 'python', '3.13'),
    ('onnxruntime', '1.17.1', 'python', '3.11'), ('onnxruntime', '1.20.1', 'python', '3.11'),
    ('pandas', '2.2.3', 'python', '3.11')
    ) as packages(package_name, version, language, runtime_version)"""
_ANY = re.IGNORECASE | re.DOTALL


@dataclass
class Fault:
    """What happens to the next `times` statements that match: `refuse` with an error; `drop` the connection in the
    middle of the answer, or `drop_before` the statement is done; `lose` the answer behind a gateway that is overloaded,
    so that the connector sends the statement again; or `hang`: no answer until the client is gone or the next steering,
    after which it sends the statement again."""

    matches: str
    does: str
    times: int = 1
    code: str = "000604"
    sqlstate: str = "57014"
    message: str = ""


@dataclass
class Control:
    """`keys`: public keys in PEM by user, in capitals; without any, every login is let in. `login_refusal`: (code,
    message) for all. `api`: where predict_churn sends its batches."""

    keys: dict[str, str] = field(default_factory=dict)
    login_refusal: tuple[str, str] | None = None
    api: str | None = None
    faults: list[Fault] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)

    def fault(self, statement: str) -> Fault | None:
        for fault in self.faults:
            if fault.times and re.search(fault.matches, statement, _ANY):
                fault.times -= 1
                return fault
        return None


control = Control()
hangs = asyncio.Event()
steered = asyncio.Event()


# --- the repairs


def repair_merge() -> None:
    """dbt leaves the values of MERGE's INSERT unqualified; Snowflake takes them from the source."""
    merge = fakesnow.transforms.merge

    def qualified(statement: exp.Expression) -> exp.Expression:
        if isinstance(statement, exp.Merge):
            using = statement.args["using"]
            source = using.args["alias"].this if using.args.get("alias") else using.this
            for when in statement.args["whens"].expressions:
                then = when.args["then"]
                if isinstance(then, exp.Insert):
                    values = [then.expression, when.args.get("condition")]
                else:
                    values = [equality.expression for equality in then.expressions]
                for value in filter(None, values):
                    for column in value.find_all(exp.Column):
                        if not column.table:
                            column.set("table", source.copy())
        return merge(statement)

    fakesnow.transforms.merge = qualified


def repair_sums() -> None:
    """Snowflake adds NUMBERs exactly; fakesnow goes through DOUBLE."""
    fakesnow.transforms.numeric_agg_implicit_cast = lambda statement: statement


def repair_null_timestamps() -> None:
    """They arrive as 1970-01-01."""
    as_struct = fakesnow.arrow.timestamp_to_sf_struct

    def with_nulls(timestamps):
        timestamps = timestamps.combine_chunks() if isinstance(timestamps, pa.ChunkedArray) else timestamps
        struct = as_struct(timestamps)
        fields = [struct.field(i).fill_null(0) for i in range(struct.type.num_fields)]
        return pa.StructArray.from_arrays(fields, fields=list(struct.type), mask=pc.is_null(timestamps))

    fakesnow.arrow.timestamp_to_sf_struct = with_nulls


def repair_table_comments() -> None:
    """An apostrophe in a comment ends fakesnow's own statement; its helper table of MERGE needs none."""
    insert = fakesnow.info_schema.insert_table_comment_sql

    def escaped(catalog, schema, table, comment):
        if table.upper() == "MERGE_CANDIDATES":
            return "select 1"
        return insert(catalog, schema, table, comment.replace("'", "''") if isinstance(comment, str) else comment)

    fakesnow.info_schema.insert_table_comment_sql = escaped


def repair_files_of_copy() -> None:
    """COPY's FILES are known of external stages only."""
    urls = fakesnow.copy_into._source_urls

    def of_any_stage(source, files):
        return [f"{source}/{file}" for file in files] if files and stage.is_internal(source) else urls(source, files)

    fakesnow.copy_into._source_urls = of_any_stage


def repair_create_table_as() -> None:
    """A table with declared columns from `select *` asks DuckDB for their names, but not in DuckDB's SQL."""
    create = fakesnow.transforms.create_table_as

    def with_names(statement: exp.Expression, con: duckdb.DuckDBPyConnection) -> exp.Expression:
        if isinstance(statement, exp.Create) and isinstance(statement.this, exp.Schema) and statement.expression:
            query = statement.expression.unnest()
            if isinstance(query, exp.Select) and any(isinstance(column, exp.Star) for column in query.expressions):
                names = [row[0] for row in con.execute(f"describe {query.sql('duckdb')}").fetchall()]
                query.set("expressions", [exp.column(name) for name in names])
        return create(statement, con)

    fakesnow.transforms.create_table_as = with_names


def repair_statements() -> None:
    """Statements that fakesnow does not know in the form that dbt and the connector use, and errors that it makes a
    crash of the server, which the connector would wait for to pass."""
    execute = FakeSnowflakeCursor.execute

    def repaired(self, command, params=None, *args, **options):
        on_columns = re.match(r"\s*alter\s+(?:table|view)\s+(\S+)\s+alter\s+(?=\"?\w+\"?\s+COMMENT\s)", command, _ANY)
        if on_columns:
            for column, comment in re.findall(r'("?\w+"?)\s+COMMENT\s+\$\$(.*?)\$\$', command, _ANY):
                text = comment.replace("'", "''")
                execute(self, f"comment on column {on_columns[1]}.{column} is '{text}'")
            return execute(self, "select 'Statement executed successfully.' as status", **options)
        if re.match(r"\s*show\s+grants\s+(on|to|of)\b", command, _ANY):
            granted = """'INSERT' as "privilege", 'ROLE' as "granted_to", 'SINK' as "grantee_name" """
            return execute(self, f"select {granted}", **options)  # what dbt by itself would take away
        # the versions of packages that its Python functions may have, of which DuckDB has none
        command = re.sub(r"\binformation_schema\.packages\b", PACKAGES, command, flags=_ANY)
        # a temporary table of another schema than the session's
        command = re.sub(
            r"\bcreate\s+(or\s+replace\s+)?temp(?:orary)?\s+(table|view)\s+(?=(if\s+not\s+exists\s+)?[\w\"]+\.)",
            r"create \1\2 ", command, flags=_ANY,
        )  # fmt: skip
        removed = re.match(r"\s*remove\s+@([\w.]+)/([\w./]*)", command, _ANY)
        if removed:
            place = Path(stage.LOCAL_BUCKET_PATH, self._conn.database, *removed[1].upper().split("."), removed[2])
            shutil.rmtree(place, ignore_errors=True)
            return execute(self, "select 'removed' as result", **options)
        command = re.sub(r"\bcurrent_warehouse\(\)", "'TRANSFORM'", command, flags=_ANY)
        # an external function lives in a schema, DuckDB's do not
        if re.search(r"\bmarts\.predict_churn\s*\(", command, _ANY):
            if control.api is None:
                raise ProgrammingError(
                    "SQL compilation error:\nUnknown function MARTS.PREDICT_CHURN", errno=2140, sqlstate="42601"
                )
            command = re.sub(r"\b(\w+\.)?marts\.predict_churn\s*\(", "predict_churn(", command, flags=_ANY)
        return execute(self, command, params, *args, **options)

    def safe(self, command, params=None, *args, **options):
        try:
            return repaired(self, command, params, *args, **options)
        except Exception as problem:
            try:
                self._duck_conn.execute("select 1")
            except duckdb.Error:
                self._duck_conn.rollback()  # DuckDB gives up the transaction, Snowflake only the statement
            if isinstance(problem, Error):
                raise
            raise ProgrammingError(f"{type(problem).__name__}: {problem}", errno=99999, sqlstate="99999") from problem

    FakeSnowflakeCursor.execute = safe


# --- the external function


def predict_churn(arguments: pa.ChunkedArray) -> pa.Array:
    """What Snowflake does for an external function: numbered rows in batches of its own choice, now and then twice."""
    rows = [json.loads(argument) for argument in arguments.to_pylist()]
    answers: list[str | None] = [None] * len(rows)
    start = 0
    while start < len(rows):
        size = random.choice((1, 7, 100, 500, 1000))
        batch = [[number, row] for number, row in enumerate(rows[start : start + size])]
        for _ in range(random.choice((1, 1, 1, 2))):
            request = urllib.request.Request(
                control.api,
                json.dumps({"data": batch}).encode(),
                {
                    "content-type": "application/json",
                    "sf-external-function-format": "json",
                    "sf-external-function-format-version": "1.0",
                    "sf-external-function-current-query-id": "01b-query",
                    "sf-external-function-query-batch-id": f"01b-query:{start}",
                },
            )
            with urllib.request.urlopen(request, timeout=60) as response:
                data = json.load(response)["data"]
            control.batches.append(len(batch))
        if sorted(number for number, _ in data) != list(range(len(batch))):
            raise ProgrammingError(
                "Request failed for external function PREDICT_CHURN: other row numbers", errno=100351
            )
        for number, answer in data:
            answers[start + number] = json.dumps(answer)
        start += len(batch)
    return pa.array(answers, pa.string())


# --- the server


def _body(raw: bytes, headers) -> dict:
    return json.loads(gzip.decompress(raw) if headers.get("content-encoding") == "gzip" else raw)


def _refused(code: str, message: str, sqlstate: str = "08001") -> JSONResponse:
    data = {"errorCode": code, "sqlState": sqlstate}
    return JSONResponse({"data": data, "code": code, "message": message, "success": False, "headers": None})


class _Dropped(Response):
    """An answer that breaks off: the connection is closed in the middle of it."""

    async def __call__(self, scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})


async def login(request):
    data = _body(await request.body(), request.headers)["data"]
    if control.login_refusal:
        return _refused(*control.login_refusal)
    if control.keys and data.get("AUTHENTICATOR") == "SNOWFLAKE_JWT" and not _signed_by_its_user(data):
        return _refused("390144", "JWT token is invalid. [0b7d2ad4-1f0e-4b8e-a2c5-8d6a2b7d3c11]")
    control.tags.append((data.get("SESSION_PARAMETERS") or {}).get("QUERY_TAG", ""))
    answer = json.loads((await fakesnow.server.login_request(request)).body)
    answer["data"]["masterToken"] = answer["data"]["token"]  # without one the connector never says that it is done
    return JSONResponse(answer)


def _signed_by_its_user(data: dict) -> bool:
    """Who it is stands in the token; not every driver (Go's) says it a second time as LOGIN_NAME."""
    signed, signature = data["TOKEN"].rsplit(".", 1)
    claims = json.loads(_unpadded(signed.split(".")[1]))
    user = claims["sub"].rpartition(".")[2]
    pem = control.keys.get(user)
    if pem is None or data.get("LOGIN_NAME", user).upper() != user:
        return False
    key = serialization.load_pem_public_key(pem.encode())
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    fingerprint = f"SHA256:{base64.b64encode(hashlib.sha256(der).digest()).decode()}"
    try:
        key.verify(_unpadded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return claims["iss"] == f"{claims['sub']}.{fingerprint}"


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


async def query(request):
    statement = _body(await request.body(), request.headers)["sqlText"]
    control.statements.append(statement)
    fault = control.fault(statement)
    if fault is None:
        return await fakesnow.server.query_request(request)
    if fault.does == "refuse":
        return _refused(fault.code, fault.message, fault.sqlstate)
    if fault.does == "hang":
        hangs.set()
        waiting = [asyncio.ensure_future(wait) for wait in (request.receive(), steered.wait())]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for wait in waiting:
            wait.cancel()
        return Response(status_code=503)
    if fault.does in ("drop", "lose"):
        await fakesnow.server.query_request(request)
    return Response(status_code=503) if fault.does == "lose" else _Dropped()


async def session(request):
    """Whose session ends has no open transaction any more."""
    connection = fakesnow.server.sessions.get(fakesnow.server.to_token(request))
    if connection is not None and request.query_params.get("delete"):
        with suppress(duckdb.Error):
            connection._duck_conn.rollback()
    return await fakesnow.server.session(request)


async def steer(request):
    if "hanging" in request.query_params:
        await hangs.wait()
        hangs.clear()
        return JSONResponse({})
    if request.method == "POST":
        steered.set()
        steered.clear()
        for name, value in (await request.json()).items():
            setattr(control, name, [Fault(**fault) for fault in value] if name == "faults" else value)
    return JSONResponse({name: getattr(control, name) for name in ("statements", "batches", "tags")})


def main(port: int, database: str) -> None:
    for repair in (
        repair_merge, repair_sums, repair_null_timestamps, repair_table_comments, repair_files_of_copy,
        repair_create_table_as, repair_statements,
    ):  # fmt: skip
        repair()
    # databases and schemas are created by administrators, not by a connection
    server = FakeSnow(
        create_database_on_connect=False, create_schema_on_connect=False, nop_regexes=list(ADMINISTRATION)
    )
    server.duck_conn.create_function("predict_churn", predict_churn, ["VARCHAR"], "VARCHAR", type="arrow")
    with server.connect() as connection:
        connection.cursor().execute(f"create database {database}")
        connection.cursor().execute(f"create schema {database}.raw")
    fakesnow.server.shared_fs = server
    routes = [
        Route("/session/v1/login-request", login, methods=["POST"]),
        Route("/queries/v1/query-request", query, methods=["POST"]),
        Route("/session", session, methods=["POST"]),
        Route("/stand_in", steer, methods=["GET", "POST"]),
        *fakesnow.server.routes,  # the first that fits is taken
    ]
    uvicorn.run(Starlette(routes=routes), host="127.0.0.1", port=port, log_level="error")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
