"""The laptop's warehouse and Snowflake's are equal: every model, value by value; and the statements that Snowflake
gets."""

import json
import re

import pyarrow.compute as pc
import pytest

from flows.errors import DbtFailed, WarehouseUnreachable
from flows.wiring import wire
from tests.examples.adversarial_orders import adversarial_contacts, adversarial_orders, adversarial_products
from tests.running.both_engines import differences, last_build, run_on_both
from tests.running.dbt import dbt, dbt_environment
from tests.running.http_server import answering
from tests.stand_ins.snowflake_server import snowflake_server
from tests.stand_ins.snowflake_sql import problems

pytestmark = pytest.mark.whole_run

KILLED_AT = (
    "create or replace transient table shop.marts.customer_features",
    "create or replace table shop.marts.churn_predictions",
)


# unit tests whose rows are written in DuckDB's SQL
IN_DUCKDBS_SQL = (
    "test_type:unit,an_id_with_more_orders_than_a_person_has_is_nobody",
    "test_type:unit,one_order_of_years_later_or_of_1970_is_of_the_day_of_its_number",
    "test_type:unit,pre_orders_and_a_silence_end_ordinary_business_and_sparse_days_do_not",
    "test_type:unit,what_follows_a_rest_at_the_shops_pace_is_business_and_a_few_dates_far_apart_are_not",
    "test_type:unit,as_of_a_later_day_what_was_ordered_by_then_is_dated_rightly",
)


@pytest.fixture(scope="module")
def environment():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def simulated(tmp_path_factory, run_pipeline, environment):
    """A simulated shop, with a model of its own, run once in both warehouses."""
    with snowflake_server() as server:
        folder = tmp_path_factory.mktemp("simulated")
        laptop, cloud = run_on_both(run_pipeline, folder, server, environment, customers=300, seed=3)
        sent, found = server.steer(), differences(laptop, cloud)
        scores = "select customer_id, churn_probability, expected_spend from marts.churn_predictions order by 1"
        yield sent, found, [wire(settings).warehouse.read(scores) for settings in (laptop, cloud)]


@pytest.fixture(scope="module")
def adversarial(tmp_path_factory, run_pipeline, environment):
    """Orders that look for differences, run in both warehouses, and again when they have changed."""
    folder = tmp_path_factory.mktemp("adversarial")
    orders, found = folder / "orders.csv", []
    with snowflake_server() as server:
        for changed, killed_at in ((False, KILLED_AT), (True, ())):
            orders.write_text(adversarial_orders(seed=5, lines=1_500, changed=changed), encoding="utf-8")
            (folder / "contacts.csv").write_text(adversarial_contacts(seed=6, contacts=120), encoding="utf-8")
            (folder / "products.csv").write_text(adversarial_products(seed=7), encoding="utf-8")
            settings = {"orders": str(orders), "contacts": str(folder / "contacts.csv"), "horizon_days": 90}
            settings["products"] = str(folder / "products.csv")
            settings["accept"] = "unreadable,misdated,refunds"
            laptop, cloud = run_on_both(run_pipeline, folder, server, environment, killed_at, **settings)
            found.append((differences(laptop, cloud), server.steer()["statements"]))
        yield laptop, cloud, server, found


def test_a_simulated_shop_is_the_same_in_both_warehouses(simulated):
    _, found, _ = simulated
    assert found == []


def test_adversarial_orders_are_the_same_in_both_warehouses_also_after_runs_that_were_killed(adversarial):
    laptop, *_, found = adversarial
    assert found[0][0] == []
    reasons = set(wire(laptop).warehouse.read("from raw.rejected_rows").column("reason").to_pylist())
    assert reasons == {
        "no customer", "unreadable date", "unreadable amount", "date in the future", "amount of zero", "duplicate line",
        "contact: neither customer nor e-mail", "contact: not an e-mail address",
        "contact: repeated later with the same id", "product: no sku", "product: neither active nor not",
        "product: repeated later with the same sku", "too many columns",
    }  # fmt: skip
    assert wire(laptop).warehouse.row("select count(*) from intermediate.int_customer_identities")[0] > 10
    assert wire(laptop).warehouse.row("select count(*) from intermediate.int_identity_conflicts")[0] > 2


def test_late_orders_returns_and_deleted_rows_leave_both_warehouses_the_same(adversarial):
    assert adversarial[-1][1][0] == []


def test_the_external_function_answers_as_the_laptop_does_in_batches_of_any_size(simulated):
    sent, _, (ours, theirs) = simulated
    assert ours.column("customer_id").equals(theirs.column("customer_id"))
    for name in ("churn_probability", "expected_spend"):
        assert pc.max(pc.abs(pc.subtract(ours.column(name), theirs.column(name)))).as_py() < 1e-6
    assert sum(sent["batches"]) > ours.num_rows  # some were sent twice


def test_every_statement_is_snowflakes_own_sql(simulated, adversarial):
    statements = [*simulated[0]["statements"], *(statement for _, sent in adversarial[-1] for statement in sent)]
    assert len(statements) > 600
    assert [f"{problem}\n{statement}" for statement in statements for problem in problems(statement)] == []


def test_rows_arrive_by_copy_and_never_by_insert(simulated):
    sent, *_ = simulated
    by_row = [statement for statement in sent["statements"] if re.search(r"\binsert\b.*\bvalues\s*\(", statement, re.S)]
    assert [statement for statement in by_row if "merge into" not in statement and "staging.r" not in statement] == []
    copies = [statement for statement in sent["statements"] if statement.startswith("copy into")]
    assert any("raw_simulated_shop.order_lines__load" in statement for statement in copies)
    assert all("match_by_column_name" in statement for statement in copies)


def test_sessions_carry_the_query_tag(simulated):
    sent, *_ = simulated
    assert set(sent["tags"]) == {"rfm_churn", "rfm_churn dbt"}


def test_the_whole_project_builds_again_with_its_unit_tests_docs_freshness_and_grants(adversarial, tmp_path):
    _, cloud, server, _ = adversarial
    readers = {"readers": ["reporter"]}
    server.steer(statements=[])
    _dbt(
        cloud, tmp_path, "build", "--threads", "4", "--exclude", *IN_DUCKDBS_SQL, variables=readers, model_version=None
    )
    sent = server.steer()["statements"]
    results = json.loads((tmp_path / "run_results.json").read_text())["results"]
    assert {result["status"] for result in results} <= {"success", "pass", "no-op"}
    assert sum(result["unique_id"].startswith("unit_test") for result in results) >= 6

    assert any("grant select on shop.marts.customer_rfm to role reporter" in statement for statement in sent)
    assert not any("revoke" in statement.lower() for statement in sent)  # the sink's right to add predictions, say
    assert any("RFM scores and segment of every customer" in statement for statement in sent)
    assert any("COMMENT $$The shop" in statement for statement in sent)
    (merged,) = [statement for statement in sent if "merge into shop.marts.churn_predictions" in statement]
    assert "DBT_INTERNAL_DEST.as_of_date = cast('2024-" in merged
    assert "DBT_INTERNAL_DEST.source = 'batch'" in merged
    assert any("create or replace transient table shop.marts.customer_features" in statement for statement in sent)
    assert not any("create or replace table shop.marts.churn_predictions" in statement for statement in sent)

    inside = {"scoring": "udf"}
    _dbt(cloud, tmp_path, "compile", "--select", "churn_predictions", variables=inside, model_version="m-1")
    compiled = tmp_path / "compiled" / "rfm_churn" / "models" / "marts" / "scores" / "churn_predictions.sql"
    assert "marts.predict_churn_udf(\n        cast(features.recency_days as double)," in compiled.read_text()
    assert problems(compiled.read_text()) == []

    wire(cloud).dbt.document(cloud.docs_file)
    catalog = json.loads((cloud.data_dir / ".dbt" / "docs" / "catalog.json").read_text())
    features = catalog["nodes"]["model.rfm_churn.customer_features"]
    assert features["columns"]["RECENCY_DAYS"]["comment"].startswith("Days since the last purchase")
    pages = cloud.docs_file.read_text()
    assert all(word in pages for word in ("Tableau workbook", "Marketing dashboard", "marketing-analytics@example.com"))
    (fresh,) = wire(cloud).dbt.source_freshness(["order_lines"])
    assert (fresh.connection, fresh.table, fresh.status) == ("orders_csv", "order_lines", "pass")


def test_a_build_that_is_refused_names_the_step_and_one_that_breaks_off_may_be_tried_again(adversarial):
    _, cloud, server, _ = adversarial
    given = last_build(cloud).values()
    dbt = wire(cloud).dbt
    table = "create or replace transient table shop.marts.customer_rfm"
    message = "SQL access control error:\nInsufficient privileges to operate on schema 'MARTS'"
    refusal = {"matches": table, "does": "refuse", "code": "003001", "sqlstate": "42501", "message": message}
    server.steer(faults=[refusal])
    with pytest.raises(DbtFailed, match=r"(?s)customer_rfm.*'MARTS'.*lacks a privilege.*terraform apply"):
        dbt.build(["customer_rfm"], *given)
    server.steer(faults=[{"matches": table, "does": "drop_before"}])
    with pytest.raises(WarehouseUnreachable, match="customer_rfm"):
        dbt.build(["customer_rfm"], *given)
    server.steer(faults=[])
    dbt.build(["customer_rfm"], *given)


def test_what_the_api_says_instead_of_a_response_is_the_error_of_the_build(adversarial):
    _, cloud, server, _ = adversarial
    given = last_build(cloud).values()
    before = wire(cloud).warehouse.read("select * from marts.churn_predictions")

    def refuse_every_row(_, body):
        error = {"error": "recency_days: Input should be at most 100"}
        return 200, json.dumps({"data": [[number, error] for number, _ in json.loads(body)["data"]]}).encode()

    with answering(refuse_every_row) as url:
        server.steer(api=url)
        with pytest.raises(DbtFailed, match="recency_days: Input should be at most 100"):
            wire(cloud).dbt.build(["churn_predictions"], *given)
    assert wire(cloud).warehouse.read("select * from marts.churn_predictions").equals(before)


def _dbt(settings, state, *arguments, variables=None, **run_values):
    """The result of a command that must succeed, given what the last build of the run was given, and more."""
    project, last = wire(settings).dbt, last_build(settings)
    done = dbt(
        *arguments, "--target", project.target, state=state, variables=last["variables"] | (variables or {}),
        environment={**project.environment, **dbt_environment(**last["run_values"] | run_values)},
    )  # fmt: skip
    assert done.success, done.output[-3000:]
    return done.result
