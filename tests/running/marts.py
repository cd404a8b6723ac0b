"""What whole runs have in common: order files to read, and marts to compare."""

import duckdb
import pyarrow.compute as pc

MARTS = ("customer_features", "customer_rfm", "churn_predictions", "marketing_customers")
# what says when a row was made, not what it says
RUN_COLUMNS = {"scored_at"}


def write_orders(file, lines):
    with duckdb.connect() as con:
        con.register("lines", lines)
        con.execute("copy lines to $1 (format csv, header)", [str(file)])
    return str(file)


def mart(read, data_dir, name, as_of=None):
    """The rows of a mart, in order, without what says when they were made."""
    table = read(data_dir, f"from marts.{name}")
    if as_of:
        table = table.filter(pc.equal(table.column("as_of_date"), as_of))
    table = table.drop_columns([c for c in RUN_COLUMNS if c in table.column_names])
    return table.sort_by([(table.column_names[0], "ascending")])
