"""CONTRIBUTING.md says where to add things. Each of its rows is executed in a copy of the project, where a place that
is forgotten is named by the error; or it is held by a test that is named here."""

import ast
import re
import shutil
import subprocess
import sys

import pytest

from flows.settings import REPOSITORY
from tests.contract.recipes import A_FIELD_OF_A_PREDICTION, EXECUTED

HELD = {
    "a shop's CSV export": "integration/sources/test_adding_a_source.py::test_another_csv_is_an_entry_that_fits",
    "a source with an API": "integration/sources/test_adding_a_source.py"
    "::test_a_source_with_an_api_is_a_manifest_an_entry_and_a_staging_model",
    "a table or column about customers": "integration/runs/test_erasure.py"
    "::test_nothing_is_left_of_them_in_any_table_of_any_shop",
    "a file that shows customers": "integration/runs/test_erasure.py::test_nothing_is_left_of_them_in_any_file",
    "a feature": "contract/test_adding_a_feature.py::test_sql_and_python_compute_what_the_recipe_adds",
    "a candidate model": "unit/models/test_onnx_export.py"
    "::test_onnx_says_what_the_model_says_on_real_rows_edge_rows_and_rows_next_to_splits",
    "a metric": "integration/outputs/test_metrics.py"
    "::test_every_metric_runs_on_the_warehouse_by_everything_that_it_can_be_grouped_by",
    "a method of ranking what customers are shown next": "unit/baskets/test_next_products.py"
    "::test_nobody_is_shown_a_product_twice_and_scores_fall",
    "a mart that page or workbook reads": "contract/test_exposures.py"
    "::test_an_exposure_names_what_is_read_and_nothing_else",
    "a table that the flows write and nothing can rebuild": "integration/runs/test_pipeline.py"
    "::test_every_model_and_column_in_the_warehouse_is_documented",
    "what a plan warns of": "unit/campaigns/test_campaign_sentences.py::test_each_warning_of_a_plan_has_its_words",
    "a value that changes from run to run and that SQL needs": "integration/runs/test_dbt_builds.py"
    "::test_another_day_another_horizon_and_another_model_parse_nothing_again",
    "a difference between SQL engines": "integration/snowflake/test_parity.py"
    "::test_every_statement_is_snowflakes_own_sql",
    "a chart, a filter or a word of the page": "integration/outputs/test_dashboard.py"
    "::test_both_languages_have_every_word_and_what_was_chosen_stays",
    "a sentence that the warehouse writes (a reason, a reason for rejection)": "integration/outputs/test_dashboard.py"
    "::test_every_phrase_of_the_warehouse_has_its_french",
    "a worksheet of the workbook": "integration/outputs/test_workbook.py"
    "::test_a_worksheet_shows_of_the_extract_what_the_query_finds_in_the_marts",
    "something that is published to Tableau": "unit/tableau/test_publishing.py"
    "::test_the_runs_files_are_published_and_put_on_record",
    "a field or a word of the page for campaigns by hand": "unit/campaigns/test_campaign_page.py"
    "::test_every_key_of_a_campaign_is_a_field_and_every_field_has_its_words",
    "a section or a word of the digest": "unit/test_digest.py"
    "::test_every_text_is_there_in_both_languages_with_the_same_figures",
    "something that agents can ask": "integration/outputs/test_agents.py::test_every_tool_only_reads_and_is_typed",
    "a property that HubSpot gets": "integration/hubspot/test_activation.py"
    "::test_contacts_get_their_figures_and_are_in_the_campaigns_list",
    "a field of a request": "unit/api/test_fast_reading.py::test_what_is_read_fast_is_read_the_same_in_full",
    "a field of a response": "contract/test_prediction_contract.py"
    "::test_a_response_has_the_fields_that_the_api_documents",
    "a covariate of the uplift model": "unit/campaigns/test_customer_traits.py"
    "::test_features_and_lifecycle_are_traits_and_what_is_unknown_is_none",
    "a package that Lambda needs": "integration/api/test_lambda.py"
    "::test_a_package_holds_its_group_and_the_model_and_is_small",
    "something that reads or writes": "contract/test_repository.py"
    "::test_only_the_wiring_and_the_settings_know_the_switch",
    "a client of a server's API": "unit/test_server_api.py"
    "::test_a_refusal_quotes_the_server_without_secrets_and_says_what_to_do",
    "a flow": "unit/test_orchestration.py::test_with_a_server_flows_and_tasks_are_prefects_and_retry_alike",
    "something in Snowflake, AWS, Prefect or Airbyte": "unit/stand_ins/test_terraform.py"
    "::test_the_schemas_know_every_type_that_the_hcl_declares",
    "a receiver of alerts": "contract/test_alerts.py"
    "::test_a_receiver_takes_what_is_sent_with_subject_and_body_as_they_are",
    "a step of delivery": "contract/test_workflows.py"
    "::test_the_steps_of_an_environment_pack_plan_apply_push_and_deploy_this_commit",
    "a variable that production sets": "unit/commands/test_environment_file.py"
    "::test_terraform_says_all_that_prefect_yaml_asks_for_and_nothing_that_nobody_reads",
    "a figure": "unit/benchmarks/test_page.py::test_the_page_is_what_the_benchmarks_write",
}
COPIED = (
    "flows", "functions", "dbt_project", "airbyte", "docs", "tests",
    "Makefile", "README.md", "CONTRIBUTING.md", "prefect.yaml", "pyproject.toml",
)  # fmt: skip
EACH_PLACE = [(recipe, place) for recipe in EXECUTED for place in recipe.places]


def rows():
    tables = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8").split("\n## Where to add things\n")[1]
    return [row for row in re.findall(r"^\| (.*?) \|", tables.split("\n## ")[0], re.M) if row != "to add"]


def test_every_row_is_executed_or_held_by_a_test():
    known = [*HELD, *(recipe.row for recipe in EXECUTED)]
    assert sorted(set(rows()) - {*known}) == [], "add a recipe to tests/contract/recipes.py, or the test to HELD here"
    assert sorted({*known} - set(rows())) == [], "CONTRIBUTING.md has no such row"
    assert len(known) == len(set(known))


@pytest.mark.parametrize("test", HELD.values())
def test_what_holds_a_row_is_a_test(test):
    file, _, name = test.partition("::")
    path = REPOSITORY / "tests" / file
    assert path.exists(), path
    assert name in {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}, test


@pytest.mark.parametrize("recipe", EXECUTED, ids=lambda recipe: recipe.row)
def test_a_recipe_names_each_of_its_places(recipe):
    """In CONTRIBUTING.md, as files or, of a folder of one's own, as its folder."""
    (row,) = re.findall(rf"^\| {re.escape(recipe.row)} \| (.*) \|$", (REPOSITORY / "CONTRIBUTING.md").read_text(), re.M)
    assert [place.file for place in recipe.places if place.file not in row] == []


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project, as git sees it."""
    copy = tmp_path_factory.mktemp("recipes") / "project"
    for name in COPIED:
        if (REPOSITORY / name).is_dir():
            shutil.copytree(REPOSITORY / name, copy / name, ignore=shutil.ignore_patterns("target", "logs", "*.json"))
        else:
            shutil.copy2(REPOSITORY / name, copy / name)
    subprocess.run(["git", "init", "-q"], cwd=copy, check=True)
    (copy / ".gitignore").write_text("__pycache__/\n")
    return copy


@pytest.fixture
def follow(project):
    """follow(recipe, forgotten): how what uses and holds it ends, and what it says."""
    before = {}

    def write(change):
        file = project / change.file
        text = file.read_text(encoding="utf-8") if file.exists() else None
        before.setdefault(file, text)
        head, anchor, tail = (text or "").partition(change.after) if change.after else (text or "", "", "")
        assert anchor == change.after, f"{change.file} no longer has what the recipe writes behind: {change.after!r}"
        file.parent.mkdir(exist_ok=True)
        file.write_text(head + anchor + change.text + tail, encoding="utf-8")

    def followed(recipe, forgotten=None):
        for change in (*recipe.adds, *recipe.places):
            if change is not forgotten:
                write(change)
        tests = [test.rpartition(".") for test in recipe.holds]
        calls = [f"from tests.{module} import {name}\n{name}()" for module, _, name in tests]
        # -B: the size and the second of a file that is written twice may be the same
        program = [sys.executable, "-B", "-c", "\n".join([*calls, recipe.uses])]
        return subprocess.run(program, cwd=project, capture_output=True, text=True)

    yield followed
    for file, text in before.items():
        if text is None:
            file.unlink()
        else:
            file.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("recipe", [one for one in EXECUTED if one.places], ids=lambda recipe: recipe.row)
def test_a_recipe_that_is_followed_works(recipe, follow):
    done = follow(recipe)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("recipe", "place"), EACH_PLACE, ids=[f"{r.row}-{p.file}" for r, p in EACH_PLACE])
def test_a_place_that_is_forgotten_is_named_by_the_error(recipe, place, follow):
    done = follow(recipe, forgotten=place)
    assert done.returncode != 0
    message = done.stderr.rpartition('  File "')[2].partition("\n")[2]  # and not where it was raised
    assert place.file in message, done.stderr


def test_every_place_that_lacks_a_field_of_a_prediction_is_named(project, follow):
    assert follow(A_FIELD_OF_A_PREDICTION).returncode == 0
    tests = ("tests/contract/test_prediction_contract.py", "tests/contract/test_feature_contract.py")
    program = [sys.executable, "-B", "-m", "pytest", "-p", "no:xdist", "-p", "no:cacheprovider", *tests]
    ended = subprocess.run(program, cwd=project, capture_output=True, text=True)
    named = "".join(re.findall(r"^E  .*\n", ended.stdout, re.M))
    for place in (
        "PredictionResponse in functions/churn_api/predictions.py lacks ['orders']",
        "Scores.flat in functions/churn_api/scorer.py",
        "write_batch in functions/churn_api/external_function.py lacks ['orders']",
        "churn_predictions.yml: run `make generate`",
        "contract.sql: run `make generate`",
    ):
        assert place in named, ended.stdout
