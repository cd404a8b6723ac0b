"""Landing a CSV of 10 million order lines, next to DuckDB's bare read_csv of the same file."""

from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.measured import Figure, run_python, run_sql

LINES = 10_000_000

_LAND = """
import sys, time, duckdb
from datetime import UTC, datetime
from pathlib import Path
from flows.sources.connections import read_connections
from flows.adapters.files.reading.landing import CsvLanding
from flows.settings import REPOSITORY
connections = read_connections(REPOSITORY / "airbyte" / "connections.yml")
stream = connections.connection("orders_csv").order_lines
with duckdb.connect(sys.argv[1], config={"threads": 2}) as con:
    start = time.perf_counter()
    at, scratch = datetime(2026, 1, 1, tzinfo=UTC), Path(sys.argv[1]).parent
    landing = CsvLanding(con, connections, at, scratch)
    landing.order_lines(sys.argv[2], "orders_csv", stream)
    print(time.perf_counter() - start)
"""


def measure(folder: Path) -> Iterator[Figure]:
    file = folder / "orders.csv"
    run_sql(
        folder / "make.duckdb",
        f"""copy (
            select 'O' || (i // 3) as order_id, i as order_line_id, 'C' || (hash(i // 3) % 1000000) as customer_id,
                timestamp '2023-01-01' + interval (i * 9) second as ordered_at, 'P' || (i % 400) as sku,
                1 as quantity, (i % 1000) / 10 + 1 as unit_price, (i % 1000) / 10 + 1 as amount, 'EUR' as currency
            from range({LINES}) as lines (i)
        ) to '{file}'""",
    )
    bare = run_sql(folder / "bare.duckdb", f"create table lines as from read_csv('{file}', all_varchar = true)")
    landed = float(run_python("-c", _LAND, str(folder / "landed.duckdb"), str(file)).output.split()[-1])
    yield Figure(
        "CSV ingest, 10 million order lines",
        f"{landed:.1f} s",
        f"read_csv alone {bare.seconds:.1f} s",
        "≤ 2 ×",
        landed <= 2 * bare.seconds,
    )
