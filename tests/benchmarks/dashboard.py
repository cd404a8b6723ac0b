"""The page and the Tableau extract of large shops: how fast they are written, opened and filtered."""

import time
from collections.abc import Iterator
from pathlib import Path

import duckdb

from tests.benchmarks.measured import Figure, run_python, run_sql
from tests.running.browser import chromium, headless_chromium, open_page

# a run's customers again and again, each time with other amounts, probabilities and first purchases, evenly spread over
# as many countries and channels as the page tells apart: many more cells than with a shop's real preferences. Each copy
# has the purchases of the customer, and is shown the same products
_ENLARGED = """
create or replace table marts.marketing_customers as
with more as (
    select customers.*, copy, hash(customer_id, copy) as h
    from marts.marketing_customers as customers, range({copies}) as copies (copy)
)
select * exclude (copy, h) replace (
    customer_id || '-' || copy as customer_id,
    (0.5 + (h % 1000) / 1000) * spend_last_365_days as spend_last_365_days,
    (0.5 + (h % 1000) / 1000) * expected_loss as expected_loss,
    (0.5 + (h % 997) / 997) * expected_spend as expected_spend,
    greatest(0, churn_probability - (h % 101) / 500) as churn_probability,
    first_purchased_on - cast((h // 7) % 300 as integer) as first_purchased_on,
    'country ' || (h // 11) % 12 as country,
    'channel ' || (h // 132) % 8 as channel
) from more limit {customers};
create or replace table marts.cohort_retention as
select cohort_quarter, quarters_since, segment, country, channel, risk_band, 90 as customers, 20 as active_customers,
    100.5 as revenue
from (select distinct cohort_quarter, quarters_since from marts.cohort_retention),
    (select distinct segment, country, channel, risk_band from marts.marketing_customers);
create or replace table intermediate.int_purchases as
select purchases.* replace (customers.customer_id as customer_id)
from (select * from intermediate.int_purchases) as purchases
inner join (
    select customer_id, regexp_replace(customer_id, '-\\d+$', '') as of from marts.marketing_customers
) as customers on purchases.customer_id = customers.of;
create or replace table marts.next_products as
select shown.* replace (customers.customer_id as customer_id)
from (select * from marts.next_products) as shown
inner join (
    select customer_id, regexp_replace(customer_id, '-\\d+$', '') as of from marts.marketing_customers
) as customers on shown.customer_id = customers.of;
"""

_WRITE = """
import sys, time
from datetime import date
from pathlib import Path
from flows.settings import Settings
from flows.wiring import wire
settings = Settings(data_dir=Path(sys.argv[1]))
warehouse = wire(settings).warehouse
if sys.argv[2] == "extract":
    import tableauhyperapi
    from flows.adapters.tableau.extract import write_extract
    start = time.perf_counter()
    write_extract(warehouse, settings.extract_file, False)
else:
    from flows.adapters.dashboard.page import write_dashboard
    from flows.adapters.marts.run_report import History, model_report, read_report
    from flows.adapters.marts.staged_orders import AsOf
    from flows.sources.receipt import Contacts, Receipt
    start = time.perf_counter()
    measured = warehouse.read("select * from marts.model_monitoring")
    as_of = AsOf(date(2026, 6, 30), "EUR", None, 90, "", customers=100_000)
    model = model_report(wire(settings).own_models.champion(), False, None, None)
    history = History([], (), None, Receipt((), (), (), Contacts(0, 0)), as_of, {}, {})
    report = read_report(warehouse, settings, history, model, None, measured)
    write_dashboard(warehouse, report, settings.dashboard_file)
print(time.perf_counter() - start)
"""

_CLICK = """async () => {
    const times = [];
    for (const place of ["segments", "rfm", "churn", "movement", "country", "retention"]) {
        const mark = document.querySelector(`#${place} button.mark`), start = performance.now();
        mark.click();
        await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
        times.push(performance.now() - start);
        document.querySelector("#reset").click();
    }
    return Math.max(...times) / 1000;
}"""


def measure(folder: Path) -> Iterator[Figure]:
    data_dir = folder / "data"
    run_python("-m", "flows", "run", DATA_DIR=str(data_dir))
    database = data_dir / "warehouse.duckdb"
    yield from _opened(database, data_dir, customers=100_000)

    _enlarge(database, 1_000_000)
    read = run_sql(database, f"copy marts.marketing_customers to '{folder / 'customers.parquet'}'").seconds
    extract = run_python("-c", _WRITE, str(data_dir), "extract")
    seconds = float(extract.output.split()[-1])
    size = (data_dir / "marketing.hyper").stat().st_size / 1e6
    yield Figure(
        "Tableau extract of a million customers, 34 columns", f"{seconds:.1f} s, {size:.0f} MB",
        f"DuckDB writes the same as Parquet in {read:.1f} s", "< 3 s", seconds < 3,
    )  # fmt: skip
    page = run_python("-c", _WRITE, str(data_dir), "page")
    seconds = float(page.output.split()[-1])
    size = (data_dir / "dashboard.html").stat().st_size / 1e6
    yield Figure(
        "page of a million customers", f"{seconds:.1f} s, peak {page.peak_gigabytes:.2f} GB, {size:.1f} MB", "",
        "< 10 s, < 2 GB", seconds < 10 and page.peak_gigabytes < 2,
    )  # fmt: skip
    if chromium():
        opened, clicked = _in_chromium(data_dir / "dashboard.html")
        yield Figure("… opened, and from a click to the picture", f"{opened:.2f} s, {clicked:.2f} s")


def _opened(database: Path, data_dir: Path, customers: int) -> Iterator[Figure]:
    _enlarge(database, customers)
    run_python("-c", _WRITE, str(data_dir), "page")
    file = data_dir / "dashboard.html"
    size = file.stat().st_size / 1e6
    yield Figure(f"page of {customers:,} customers", f"{size:.2f} MB", "", "< 1.5 MB", size < 1.5)
    if chromium():
        opened, clicked = _in_chromium(file)
        yield Figure("… opened in Chromium", f"{opened:.2f} s", "", "< 1 s", opened < 1)
        yield Figure(
            "… from a click to the picture, slowest of six", f"{clicked:.2f} s", "", "< 0.25 s", clicked < 0.25
        )


def _enlarge(database: Path, customers: int) -> None:
    with duckdb.connect(database) as con:
        [there] = con.execute("select count(*) from marts.marketing_customers").fetchall()[0]
        con.execute(_ENLARGED.format(copies=customers // there + 1, customers=customers))


def _in_chromium(file: Path) -> tuple[float, float]:
    with headless_chromium() as browser:
        open_page(browser, file).context.close()  # the browser's own start is not the page's
        start = time.perf_counter()
        page = open_page(browser, file)
        opened = time.perf_counter() - start
        return opened, page.evaluate(_CLICK)
