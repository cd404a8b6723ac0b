"""Small files as a run leaves them for Tableau: marts in DuckDB, their extract, and workbooks."""

import shutil
import tempfile
import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import duckdb

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.adapters.tableau.extract import MARTS, write_extract
from flows.adapters.tableau.files import TableFile, write_table

_MADE = tempfile.TemporaryDirectory(prefix="tableau-files-")
MART = """
    create schema if not exists marts;
    create or replace table marts.marketing_customers as
    select
        'C' || lpad(n::varchar, 6, '0') as customer_id, date '{day}' as as_of_date,
        case when n % 3 = 0 then 'Champions' else 'At risk' end as segment, (n % 5 + 1)::integer as r_score,
        n * 1.5::double as monetary, case when n % 4 > 0 then (n + day(date '{day}')) / 1000::double end
            as churn_probability,
        case when n % 2 = 0 then 'mary' || n || '@example.com' end as email, n % 7 = 0 as may_be_contacted,
        date '{day}' - n::integer as first_purchased_on, timestamp '{day} 05:00:01.5' as scored_at {more}
    from range({first}, {last}) r(n);
"""
OTHERS = [name for name in MARTS if name != "marketing_customers"]


def warehouse(folder: Path, day: str = "2026-06-30", first: int = 0, last: int = 50, more: str = "") -> DuckDBWarehouse:
    """One with customers `first` to `last`, as of a day; `more`: further columns."""
    file = folder / "warehouse.duckdb"
    with duckdb.connect(file) as connection:
        connection.execute(MART.format(day=day, first=first, last=last, more=more))
        for name in OTHERS:
            connection.execute(f"create table if not exists marts.{name} as select 1 as a")
    return DuckDBWarehouse(file, folder / "tmp")


def extract(folder: Path, **mart: object) -> Path:
    """The extract of such a warehouse."""
    write_extract(warehouse(folder, **mart), folder / "marketing.hyper", show_pii=True)
    return folder / "marketing.hyper"


def customers(folder: Path, **mart: object) -> TableFile:
    """The customers of such a warehouse, in a file of their own."""
    made = _customers(tuple(sorted(mart.items())))
    for name in ("warehouse.duckdb", "customers.hyper"):
        shutil.copyfile(made.file.with_name(name), folder / name)
    return replace(made, file=folder / "customers.hyper")


@cache
def _customers(mart: tuple[tuple[str, object], ...]) -> TableFile:
    """Made once for all tests: hyperd takes a while to start."""
    folder = Path(tempfile.mkdtemp(dir=_MADE.name))
    return write_table(extract(folder, **dict(mart)), "MARTS", "MARKETING_CUSTOMERS", folder / "customers.hyper")


def mart_rows(folder: Path) -> list[tuple[object, ...]]:
    with duckdb.connect(folder / "warehouse.duckdb", read_only=True) as connection:
        return connection.execute("select * from marts.marketing_customers order by customer_id").fetchall()


CONNECTED = "<connection class='snowflake' dbname='SHOP' schema='MARTS' server='acme.snowflakecomputing.com' />"
IN_A_FILE = "<connection class='hyper' dbname='Data/marketing.hyper' schema='MARTS' />"
WORKBOOK = """<?xml version='1.0' encoding='utf-8'?>
<workbook version='18.1' xmlns:user='http://www.tableausoftware.com/xml/user'>
  <datasources>
    <datasource caption='Parameters' hasconnection='false' inline='true' name='Parameters' version='18.1'>
      <column caption='Threshold' datatype='real' name='[Threshold]' param-domain-type='range' />
    </datasource>
    <datasource caption='Customers' inline='true' name='federated.customers' version='18.1'>
      <connection class='federated'>
        <named-connections><named-connection caption='shop' name='shop.1'>{connection}</named-connection>
        </named-connections>
        <relation connection='shop.1' name='MARKETING_CUSTOMERS' table='[MARTS].[MARKETING_CUSTOMERS]' type='table' />
      </connection>
      <column datatype='real' name='[MONETARY]' role='measure' type='quantitative' user:auto-column='no' />
      <column name='[Per order]' role='measure'><calculation class='tableau' formula='SUM([MONETARY])' /></column>
      <column name='[High]' role='dimension'>
        <calculation class='tableau' formula='[CHURN_PROBABILITY] &gt; [Parameters].[Threshold]' /></column>
      <column name='[Value of high]' role='measure'><calculation class='tableau' formula='IF [High] THEN 1 END' />
      </column>
      <datasource-dependencies datasource='Parameters' />
    </datasource>
  </datasources>
  <worksheets><worksheet name='Segments' /><worksheet name='Helper' /></worksheets>
  <dashboards><dashboard name='Overview' />{more}</dashboards>
  <windows><window class='worksheet' hidden='true' name='Helper' /><window class='dashboard' name='Overview' />
  </windows>
</workbook>
"""


def connected_workbook(folder: Path, more: str = "") -> Path:
    """A .twb that is connected to Snowflake; `more`: further dashboards."""
    file = folder / "marketing.twb"
    file.write_text(WORKBOOK.format(connection=CONNECTED, more=more))
    return file


def packaged_workbook(folder: Path, more: str = "") -> Path:
    """A .twbx with its extract in it."""
    file = folder / "marketing.twbx"
    with zipfile.ZipFile(file, "w") as package:
        package.writestr("marketing.twb", WORKBOOK.format(connection=IN_A_FILE, more=more))
        package.writestr("Data/marketing.hyper", b"rows")
    return file
