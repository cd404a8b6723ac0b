"""dbt's unit tests, in this process and on an empty warehouse: what each model makes of a few rows, in seconds."""

import duckdb
import yaml
from dbt.cli.main import dbtRunner

from tests.running.dbt import DBT_PROJECT, dbt_arguments, dbt_environment, set_environment

# what no model makes: columns of raw order lines as the project's default mapping has them, next to Airbyte's
LANDED = """
    create schema raw_simulated_shop;
    create table raw_simulated_shop.order_lines (_airbyte_raw_id varchar, _airbyte_extracted_at timestamp, {columns});
    create schema raw;
    create table raw.landed_spans (file varchar, first_row bigint, last_row bigint, first_line bigint);
    create table raw.unreadable_lines (file varchar, line bigint, reason varchar, content varchar);
"""


def test_the_unit_tests_of_dbt_pass(tmp_path):
    """What types columns have dbt reads from relations: here from empty tables. A view would be bound again with all
    that it is made of, for each that is made of it."""
    warehouse = tmp_path / "warehouse.duckdb"

    def dbt(*arguments, manifest=None):
        quiet = ("--quiet", "--no-write-json", "--log-level-file", "none")
        with set_environment(dbt_environment(warehouse)):
            ended = dbtRunner(manifest).invoke(dbt_arguments(*quiet, *arguments, state=tmp_path))
        assert ended.exception is None, ended.exception
        return ended.result

    manifest = dbt("parse")
    # one thread: with more, they wait for one another
    compiled = dbt("compile", "--select", "resource_type:model", "--threads", "1", manifest=manifest)
    (mapping,) = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text())["vars"]["order_lines"]
    with duckdb.connect(warehouse) as con:
        con.execute(LANDED.format(columns=", ".join(f"{name} varchar" for name in mapping["columns"])))
        for seed in (node for node in manifest.nodes.values() if node.resource_type == "seed"):
            con.execute(f"create schema if not exists {seed.schema}")
            rows = con.read_csv(str(DBT_PROJECT / seed.original_file_path), header=True, dtype=seed.config.column_types)
            rows.create(f"{seed.schema}.{seed.name}")
        for model in (result.node for result in compiled.results):
            con.execute(f"create schema if not exists {model.schema}")
            con.execute(f"create table {model.schema}.{model.name} as {model.compiled_code}\nwith no data")
        # while the file is open here, dbt need not read it again for each test
        results = dbt("test", "--select", "test_type:unit", "--threads", "1", manifest=manifest).results
    failures = [f"{result.node.name}: {result.message}" for result in results if result.status != "pass"]
    assert not failures, "\n".join(failures)
    assert len(results) == len(manifest.unit_tests)
