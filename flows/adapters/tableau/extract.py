"""`marketing.hyper`: the marts for marketing in Tableau's file format.

Schema, tables and columns have their names in Snowflake, in capitals, so that a workbook reads either one by changing
its connection alone."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from flows.adapters.privacy.masking import masked
from flows.adapters.tableau.hyper import new_database
from flows.ports.warehouse import Warehouse

SCHEMA = "MARTS"
MARTS = (
    "marketing_customers", "segment_definitions", "cohort_retention", "model_reliability", "model_monitoring",
    "campaign_results", "segment_affinities",
)  # fmt: skip
ROWS_READ_TOGETHER = 100_000  # hyperd reads one such group per core in parallel


def write_extract(warehouse: Warehouse, file: Path, show_pii: bool) -> None:
    """Writes the marts to `file`, which is replaced atomically."""
    from tableauhyperapi import TableName, escape_string_literal

    draft = file.with_suffix(".draft.hyper")
    with new_database(draft, "draft") as (con, folder):
        con.catalog.create_schema(SCHEMA)
        for name in MARTS:
            mart = warehouse.read(f"select * from marts.{name}")
            parquet = folder / f"{name}.parquet"
            _write_parquet(mart if show_pii else masked(mart), parquet)
            con.execute_command(
                f"create table {TableName(SCHEMA, name.upper())} as"
                f" (select * from external({escape_string_literal(str(parquet))}))"
            )
    draft.replace(file)


def _write_parquet(mart: pa.Table, file: Path) -> None:
    """The mart under Snowflake's names; hyperd reads this faster than it receives rows."""
    mart = mart.rename_columns([name.upper() for name in mart.column_names])
    repetitive = [
        field.name for field in mart.schema
        if pa.types.is_string(field.type) and field.name not in ("CUSTOMER_ID", "EMAIL")
    ]  # fmt: skip
    pq.write_table(
        mart, file, row_group_size=ROWS_READ_TOGETHER, use_dictionary=repetitive, compression="none",
        write_statistics=False,
    )  # fmt: skip
