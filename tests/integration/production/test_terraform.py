"""terraform/, unmodified, with real Terraform and a stand-in for its providers: dev and prod, made and removed."""

import json
import re
import zipfile

import pandas
import pytest
import yaml

from flows.settings import CONNECTIONS, REPOSITORY
from flows.sources.connections import read_connections
from functions.churn_api.fast_path import create_api
from tests.running.serving import LocalClient, service
from tests.stand_ins.terraform.inputs import IN_CLEAR, MARK, REFERENCES, SECRETS, description, variables
from tests.stand_ins.terraform.running import NOT_INSTALLED, Terraform, is_installed, resources, stand_in

pytestmark = [pytest.mark.whole_run, pytest.mark.skipif(not is_installed(), reason=NOT_INSTALLED)]


@pytest.fixture(scope="module")
def providers():
    with stand_in() as reattach:
        yield reattach


@pytest.fixture(scope="module")
def terraform(providers, tmp_path_factory):
    """An initialised copy; what is applied stays in it."""
    folder = tmp_path_factory.mktemp("terraform")
    return Terraform.copied(folder, providers, variables=variables(folder))


@pytest.fixture(scope="module")
def dev_plan(terraform):
    return terraform.plan()


@pytest.fixture(scope="module")
def prod_plan(terraform, dev_plan):
    """Before anything is applied."""
    return Terraform(terraform.folder, terraform.reattach, terraform.variables, "prod.tfvars").plan()


@pytest.fixture(scope="module")
def applied(terraform, dev_plan, prod_plan):
    """The output of apply; the state, the outputs and the next plan after it; then the output of destroy, and what is
    left."""
    result = terraform.apply()
    state = (terraform.folder / "terraform.tfstate").read_text()
    outputs = json.loads(terraform.must("output", "-json"))
    again = terraform.plan()
    removed = terraform.planning("destroy", "-auto-approve")
    return result, state, outputs, again, removed, (terraform.folder / "terraform.tfstate").read_text()


def test_everything_is_formatted(terraform):
    result = terraform.run("fmt", "-check", "-recursive", "-diff")
    assert result.status == 0, result.errors


def test_everything_is_valid(terraform):
    assert "Success" in terraform.must("validate")


def test_terraforms_own_tests_pass(terraform):
    result = terraform.run("test")
    assert result.status == 0, result.errors
    assert re.search(r"[1-9]\d* passed, 0 failed", result.text)


def test_one_apply_makes_everything_and_the_next_changes_nothing(applied, dev_plan):
    result, _, _, again, _, _ = applied
    assert f"{len(resources(dev_plan))} added, 0 changed, 0 destroyed" in result
    changed = [one["address"] for one in again["resource_changes"] if one["change"]["actions"] != ["no-op"]]
    assert changed == []
    assert {address.split(".")[1].partition("[")[0] for address in resources(dev_plan)} == {
        "airbyte", "aws", "prefect", "snowflake",
    }  # fmt: skip


def test_dev_can_be_removed_in_one_step(applied):
    *_, removed, left = applied
    assert removed.status == 0, removed.errors
    assert json.loads(left)["resources"] == []


def test_snowflake_and_aws_trust_each_other_after_one_apply(applied):
    state = {f"{one['type']}.{one['name']}": one["instances"] for one in json.loads(applied[1])["resources"]}
    (integration,) = state["snowflake_api_integration_amazon_api_gateway.churn_api"]
    (role,) = state["aws_iam_role.snowflake"]
    (function,) = state["snowflake_external_function.predict_churn"]
    assert integration["attributes"]["api_aws_role_arn"] == role["attributes"]["arn"]
    described = integration["attributes"]["describe_output"][0]
    (trust,) = json.loads(role["attributes"]["assume_role_policy"])["Statement"]
    assert trust["Principal"] == {"AWS": described["api_aws_iam_user_arn"]}
    assert trust["Condition"]["StringEquals"] == {"sts:ExternalId": described["api_aws_external_id"]}
    url = function["attributes"]["url_of_proxy_and_resource"]
    assert any(url.startswith(prefix) for prefix in integration["attributes"]["api_allowed_prefixes"])


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_every_warehouse_sleeps_after_a_minute_and_has_a_quota(environment, request):
    found = resources(request.getfixturevalue(f"{environment}_plan"))
    warehouses = [one["values"] for one in found.values() if one["type"] == "snowflake_warehouse"]
    assert len(warehouses) == 4
    for warehouse in warehouses:
        assert (warehouse["warehouse_size"], warehouse["auto_suspend"]) == ("XSMALL", 60)
        assert warehouse.get("resource_monitor", "known after apply")


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_what_is_kept_in_aws_is_encrypted_and_private(environment, request):
    found = resources(request.getfixturevalue(f"{environment}_plan"))
    of = {one["type"]: [] for one in found.values()}
    for one in found.values():
        of[one["type"]].append(one.get("values", {}))
    assert all(queue["sqs_managed_sse_enabled"] or queue["kms_master_key_id"] for queue in of["aws_sqs_queue"])
    assert len(of["aws_s3_bucket"]) == len(of["aws_s3_bucket_server_side_encryption_configuration"])
    assert len(of["aws_s3_bucket"]) == len(of["aws_s3_bucket_public_access_block"])
    for block in of["aws_s3_bucket_public_access_block"]:
        assert block["block_public_acls"] and block["block_public_policy"]  # noqa: PT018
        assert block["ignore_public_acls"] and block["restrict_public_buckets"]  # noqa: PT018
    assert {one["versioning_configuration"][0]["status"] for one in of["aws_s3_bucket_versioning"]} == {"Enabled"}
    assert all(group["retention_in_days"] for group in of["aws_cloudwatch_log_group"])


def test_the_batches_of_the_queue_fail_by_the_message(terraform):
    plan = terraform.plan(sink_every_hours=0)
    (mapping,) = [one["values"] for one in resources(plan).values() if one["type"] == "aws_lambda_event_source_mapping"]
    assert mapping["function_response_types"] == ["ReportBatchItemFailures"]


def test_airbyte_syncs_what_connections_yml_says_and_only_when_triggered(dev_plan):
    entry = yaml.safe_load((REPOSITORY / "airbyte" / "connections.yml").read_text())["connections"]["hubspot"]
    (connection,) = [one["values"] for one in resources(dev_plan).values() if one["type"] == "airbyte_connection"]
    assert connection["name"] == "hubspot"
    assert connection["namespace_format"] == "raw_hubspot"
    assert connection["schedule"]["schedule_type"] == "manual"
    planned = {stream["name"]: stream for stream in connection["configurations"]["streams"]}
    assert set(planned) == set(entry["streams"])
    for name, stream in entry["streams"].items():
        assert planned[name]["sync_mode"] == stream["sync_mode"]
        assert planned[name]["primary_key"] == [[column] for column in stream["primary_key"]]
        assert planned[name]["cursor_field"] == [stream["cursor"]]


def test_airbyte_gets_our_manifest_and_the_settings_that_it_asks_for(dev_plan):
    found = resources(dev_plan)
    definition = found['module.airbyte[0].airbyte_declarative_source_definition.this["hubspot"]']["values"]
    assert json.loads(definition["manifest"]) == yaml.safe_load((REPOSITORY / "airbyte" / "hubspot.yaml").read_text())
    source = found['module.airbyte[0].airbyte_source.declarative["hubspot"]']["values"]
    laptops = read_connections(CONNECTIONS).connection("hubspot").filled_config(REFERENCES["source_settings"])
    assert json.loads(source["configuration"]) == laptops
    assert laptops["credentials"] == {"access_token": "secret_coordinate::hubspot"}


def test_automations_are_those_of_the_file_that_make_deploy_reads(dev_plan):
    wanted = yaml.safe_load((REPOSITORY / "flows" / "automations.yaml").read_text())["automations"]
    found = [one["values"] for one in resources(dev_plan).values() if one["type"] == "prefect_automation"]
    assert {one["name"] for one in found} == {one["name"] for one in wanted}
    for automation in wanted:
        (planned,) = [one for one in found if one["name"] == automation["name"]]
        event = planned["trigger"]["event"]
        assert json.loads(event["match_related"]) == automation["trigger"]["match_related"]
        assert sorted(event["expect"]) == sorted(automation["trigger"]["expect"])
        assert [one["type"] for one in planned["actions"]] == [one["type"] for one in automation["actions"]]


def test_what_make_env_writes_names_what_was_made(applied):
    result = applied[2]["environment_variables"]["value"]
    assert result["MANAGED_BY"] == "terraform"
    assert (result["SNOWFLAKE_BLOCK"], result["AIRBYTE_BLOCK"]) == ("rfm-churn", "airbyte")
    assert result["MODELS"].startswith("s3://rfm-churn-dev-models")
    assert result["SOURCE"] == "hubspot"
    assert "CURRENCY" not in result  # blank is not the same as unset


def test_all_that_generated_clients_call_has_a_route(dev_plan):
    """They call what /openapi.json describes; what the gateway does not know it answers itself, with 404."""
    with LocalClient(create_api(service())) as client:
        described = client.get("/openapi.json").json()["paths"]
    routes = {
        one["values"]["route_key"] for one in resources(dev_plan).values() if one["type"] == "aws_apigatewayv2_route"
    }
    for path, methods in described.items():
        for method in methods if "snowflake" not in path else ():
            assert f"{method.upper()} {path}" in routes


def types(plan):
    return {one["type"] for one in resources(plan).values()}


def test_a_shop_that_brings_files_itself_and_scores_inside_snowflake_needs_less(terraform):
    plan = terraform.plan(
        airbyte="null", source_names=["orders_csv"], source_settings={}, scoring="udf", edition="standard",
        startup="snapstart", reserved_concurrency=-1,
    )  # fmt: skip
    assert not {kind for kind in types(plan) if kind.startswith("airbyte_")}
    assert not types(plan) & {"snowflake_external_function", "snowflake_api_integration_amazon_api_gateway"}
    assert "snowflake_masking_policy" not in types(plan)
    result = plan["output_changes"]["environment_variables"]["after"]
    assert (result["SOURCE"], result["SNOWFLAKE_SCORING"]) == ("orders_csv", "udf")
    assert "AIRBYTE_URL" not in result


def test_a_shop_with_more_sources_and_stricter_callers_is_planned_too(terraform):
    plan = terraform.plan(
        source_names=["orders_csv", "hubspot"],
        contacts_source="contacts_csv",
        products_source="products_csv",
        source_files={"orders_csv": {"order_lines": {"url": "https://files.example.com/orders.csv"}}},
        jwt={"issuer": "https://login.example.com", "audience": ["churn"]},
        startup="provisioned",
        network_allowed_ips=["203.0.113.0/24"],
        currency="EUR",
        horizon_days=90,
        outputs="s3://shop/outputs",
        old_data={"stale_after_days": 5, "sync_failed": "stale"},
    )
    found = resources(plan)
    connections = [one["values"] for one in found.values() if one["type"] == "airbyte_connection"]
    assert {one["name"]: one["namespace_format"] for one in connections} == {
        "hubspot": "raw_hubspot", "orders_csv": "raw_orders_csv",
    }  # fmt: skip
    file = found['module.airbyte[0].airbyte_source.file["orders_csv.order_lines"]']["values"]
    assert json.loads(file["configuration"])["url"] == "https://files.example.com/orders.csv"
    assert types(plan) >= {"aws_apigatewayv2_authorizer", "snowflake_network_policy"}
    result = plan["output_changes"]["environment_variables"]["after"]
    assert (result["SOURCE"], result["CONTACTS"]) == ("hubspot,orders_csv", "contacts_csv")
    assert result["PRODUCTS"] == "products_csv"
    assert (result["CURRENCY"], result["HORIZON_DAYS"]) == ("EUR", "90")
    assert (result["OUTPUTS"], result["STALE_AFTER_DAYS"]) == ("s3://shop/outputs", "5")
    assert result["SYNC_FAILED"] == "stale"
    assert "STOP_SENDING_AFTER_DAYS" not in result


FARGATE = {"on": "ecs", "vpc_id": "vpc-1", "subnet_ids": ["subnet-1"]}
COMMIT = "0123456789abcdef0123456789abcdef01234567"
CLOUD = "https://api.prefect.cloud/api/accounts/a/workspaces/w"


def test_the_api_answers_by_a_name_of_the_shops_own_where_there_is_one(terraform, dev_plan):
    named = {"name": "churn.example.com", "certificate_arn": "arn:aws:acm:eu-central-1:123456789012:certificate/1a2b"}
    found = types(terraform.plan(domain=named))
    assert found - types(dev_plan) == {"aws_apigatewayv2_domain_name", "aws_apigatewayv2_api_mapping"}


def test_by_default_prefects_own_machines_run_the_flows_with_a_role_and_no_key(dev_plan):
    found = resources(dev_plan)
    pools = {
        one["values"]["name"]: one["values"]["type"] for one in found.values() if one["type"] == "prefect_work_pool"
    }
    assert pools == {"rfm-churn": "prefect:managed"}  # all that Prefect's free plan has
    assert "module.aws.aws_iam_role.runs[0]" in found
    runs_role = dev_plan["output_changes"]["environment_variables"]["after"]["RUNS_ROLE"]
    assert runs_role == "arn:aws:iam::123456789012:role/rfm-churn-dev-runs"
    assert "aws_iam_access_key" not in types(dev_plan)


def test_runs_on_fargate_are_planned_with_all_that_starts_them(terraform):
    starter = {"api_url": CLOUD, "plan": "starter", "local_pool": True}
    plan = terraform.plan(runs=FARGATE, image_tag=COMMIT, prefect=starter)
    assert types(plan) >= {
        "aws_ecr_repository", "aws_ecs_cluster", "aws_ecs_task_definition", "aws_security_group",
        "aws_iam_openid_connect_provider",
    }  # fmt: skip
    pools = [one["values"] for one in resources(plan).values() if one["type"] == "prefect_work_pool"]
    assert {pool["name"]: pool["type"] for pool in pools} == {"rfm-churn": "ecs:push", "rfm-churn-local": "process"}


@pytest.mark.parametrize(
    ("prefect", "runs", "sentence"),
    [
        ({"api_url": CLOUD, "plan": "hobby"}, FARGATE, "the plan hobby has managed pools only"),
        ({"api_url": CLOUD, "plan": "hobby", "local_pool": True}, {}, "five deployments, which the schedules take"),
        ({"api_url": "https://prefect.example.com/api", "plan": "server"}, {}, "With one's own server write machine"),
        ({"api_url": CLOUD, "plan": "server"}, {"on": "machine"}, "server is one's own"),
        ({"api_url": CLOUD, "plan": "free"}, {}, "write hobby, starter, team, pro or enterprise"),
    ],
    ids=["fargate", "second-pool", "own-server", "cloud-as-server", "unknown"],
)
def test_what_a_plan_of_prefect_does_not_allow_is_refused_at_plan(terraform, prefect, runs, sentence):
    result = terraform.planning("plan", prefect=prefect, runs=runs, image_tag=COMMIT)
    assert result.status == 1
    assert sentence in result.flowing


CATALOGUE = """
  shopify:
    description: "Shopify. SHOPIFY_TOKEN is an access token."
    connector: catalogue
    definition_id: 9da77001-af33-4bcd-be46-6252bf9342b9
    config: {shop: example, credentials: {auth_method: api_password, api_password: "${SHOPIFY_TOKEN}"}}
    streams:
      orders: {sync_mode: incremental_deduped_history, primary_key: [id], cursor: updated_at}
    order_lines:
      model: stg_shopify_order_lines
      columns: [customer_id, order_id, ordered_at, quantity, unit_price]

  orders_csv:"""


def test_a_connector_of_airbytes_catalogue_is_provisioned_with_the_config_of_its_entry(providers, tmp_path):
    terraform = Terraform.copied(tmp_path, providers, variables=variables(tmp_path))
    entries = terraform.folder.parent / "airbyte" / "connections.yml"
    entries.write_text(entries.read_text().replace("\n  orders_csv:", CATALOGUE, 1))
    settings = {"SHOPIFY_TOKEN": "secret_coordinate::shopify"}
    found = resources(terraform.plan(source_names=["shopify"], source_settings=settings))
    source = found['module.airbyte[0].airbyte_source.catalogue["shopify"]']["values"]
    assert source["definition_id"] == "9da77001-af33-4bcd-be46-6252bf9342b9"
    assert json.loads(source["configuration"])["credentials"]["api_password"] == "secret_coordinate::shopify"
    assert found['module.airbyte[0].airbyte_connection.this["shopify"]']["values"]["namespace_format"] == "raw_shopify"
    missing = terraform.planning("plan", source_names=["shopify"], source_settings={})
    assert "The source shopify needs SHOPIFY_TOKEN" in missing.flowing


@pytest.mark.parametrize(
    ("url", "credentials", "provider"),
    [
        (
            "s3://shop/orders.csv", {"aws_access_key_id": "found-k", "aws_secret_access_key": "found-s"},
            {"storage": "S3"},
        ),
        ("gs://shop/orders.csv", {"service_account_json": "found-j"}, {"storage": "GCS"}),
        (
            "sftp://files.example.com:2222/out/orders.csv", {"user": "found-u", "password": "found-p"},
            {"storage": "SFTP", "host": "files.example.com", "port": 2222},
        ),
    ],
)  # fmt: skip
def test_files_lie_where_shops_have_them_and_their_keys_are_shown_to_nobody(terraform, url, credentials, provider):
    given = {
        "source_names": ["orders_csv"], "source_files": {"orders_csv": {"order_lines": {"url": url}}},
        "source_settings": {}, "source_file_credentials": credentials,
    }  # fmt: skip
    found = resources(terraform.plan(**given))
    file = json.loads(
        found['module.airbyte[0].airbyte_source.file["orders_csv.order_lines"]']["values"]["configuration"]
    )
    assert file["provider"] == provider | credentials
    shown = terraform.planning("plan", **given)
    assert MARK not in shown.text
    refused = terraform.planning("plan", **given | {"source_file_credentials": {}})
    assert "source_file_credentials: files on s3:// need" in refused.flowing


def test_airbyte_reads_files_as_text_as_the_laptop_does(terraform, tmp_path):
    """With the connector's own reader, pandas in chunks of 10,000 lines, and the options that Terraform gives it."""
    files = {"orders_csv": {"order_lines": {"url": "https://files.example.com/orders.csv"}}}
    found = resources(terraform.plan(source_names=["orders_csv"], source_settings={}, source_files=files))
    file = json.loads(
        found['module.airbyte[0].airbyte_source.file["orders_csv.order_lines"]']["values"]["configuration"]
    )
    odd = ["00123", "NA", "null", "9007199254740993", "1e5", "", "True", "12.50"]
    values = [odd[row % len(odd)] if row % 9_999 < 8 else f"{row:06d}" for row in range(25_000)]
    table = tmp_path / "orders.csv"
    table.write_text("customer_id,amount\n" + "".join(f'"{value}",1\n' for value in values))

    def read(**options):
        return [
            value for chunk in pandas.read_csv(table, chunksize=10_000, **options) for value in chunk["customer_id"]
        ]

    assert read(**json.loads(file["reader_options"])) == values
    assert read() != values  # what the connector does by itself


# Secrets


def test_no_secret_is_in_the_plan_the_state_or_the_outputs(terraform, dev_plan, applied):
    result, state, outputs, again, *_ = applied
    with zipfile.ZipFile(terraform.folder / "plan.bin") as file:
        members = b"".join(file.read(name) for name in file.namelist())
    assert MARK.encode() not in members
    for text in (result, state, description(outputs), description(dev_plan), description(again)):
        assert MARK not in text
    assert REFERENCES["loader_private_key"] in description(dev_plan)  # it is the plan that was searched


def test_secrets_of_airbyte_that_are_no_references_are_shown_to_nobody(terraform, applied):
    shown = terraform.planning("plan", **IN_CLEAR)
    assert shown.status == 0
    assert MARK not in shown.text


def test_every_secret_variable_is_sensitive_in_every_module_that_it_passes_through(dev_plan):
    root = dev_plan["configuration"]["root_module"]
    secrets = {*SECRETS, *REFERENCES}
    spoken_of = {
        name
        for name in root["variables"]
        if re.search(r"private_key|passphrase|secret|token|api_key|password|settings", name)
        and name not in ("secrets_version", "existing_secrets", "existing_secrets_kms_key")
    }
    assert spoken_of <= secrets | {"snowflake_private_key_passphrase", "loader_private_key_passphrase"}
    for name in secrets | spoken_of:
        assert root["variables"][name].get("sensitive"), name
        for call in root["module_calls"].values():
            for argument, given in call["expressions"].items():
                if isinstance(given, dict) and f"var.{name}" in given.get("references", ()):
                    assert call["module"]["variables"][argument].get("sensitive"), argument


def test_no_output_is_made_of_a_secret(applied):
    assert not [name for name, output in applied[2].items() if output["sensitive"]]


# Bad input


def test_missing_variables_are_named(terraform):
    missing = ("snowflake_private_key", "transformer_private_key", "alerts_secret", "public_keys")
    result = terraform.planning("plan", **dict.fromkeys(missing))
    assert result.status == 1
    for name in missing:
        assert f'The root module input variable "{name}" is not set' in result.flowing


MALFORMED = {
    "name": ("RFM Churn", "write 3 to 21 lower-case letters, digits and hyphens"),
    "environment": ("test", "write dev or prod"),
    "region": ("Frankfurt", "write a region such as eu-central-1"),
    "account_id": ("1234", "write the twelve digits"),
    "source_names": (["nothing"], "write one or more entries of airbyte/connections.yml. It has: contacts_csv"),
    "contacts_source": ("orders_csv", "write an entry of airbyte/connections.yml that has `contacts`"),
    "products_source": ("hubspot", "write an entry of airbyte/connections.yml that has `products`"),
    "source_files": ({"orders_csv": {"orders": {"url": "https://files.example.com/a.csv"}}}, "{ <its stream> ="),
    "currency": ("Euro", "write an ISO code such as EUR"),
    "horizon_days": (3, "write a whole number from 7 to 365"),
    "outputs": ("https://shop.s3.amazonaws.com", "write s3://bucket/prefix"),
    "old_data": ({"sync_failed": "ignore"}, "write stop or stale"),
    "repository_url": ("https://token@github.com/o/n.git", "without a token"),
    "snowflake": (
        {"organization": "a-b", "account": "c", "user": "d"},
        "write organization and account as in the account's URL",
    ),
    "database": ("shop-dev", "write letters, digits and underscores"),
    "scoring": ("nobody", "write external_function or udf"),
    "prefect": ({"api_url": "http://prefect.example.com/api", "plan": "server"}, "http only to this machine"),
    "snowflake_private_key": ("key.p8", "write a PKCS#8 key in PEM"),
    "transformer_private_key": ("key.p8", "write a PKCS#8 key in PEM"),
    "alerts_secret": ("#alerts", "write the https:// address of a webhook"),
    "secrets_version": (1.5, "write a whole number from 1 on"),
}


def test_malformed_variables_fail_at_plan_with_what_to_write(terraform):
    """Terraform names all of them at once."""
    result = terraform.planning("plan", **{name: given for name, (given, _) in MALFORMED.items()})
    assert result.status == 1
    for name, (_, sentence) in MALFORMED.items():
        assert sentence in result.flowing, f"{name}\n{result.errors}"
    for name in ("snowflake_private_key", "transformer_private_key"):
        assert f"var.{name} is" not in result.flowing  # a malformed secret is a secret all the same


def test_what_needs_more_than_one_look_fails_at_plan_too(terraform):
    wrong = {
        "airbyte": ({"url": "https://airbyte.example.com", "workspace_id": "1"}, "write https://api.airbyte.com/v1"),
        "public_keys": ({"loader": "x"}, "write one key each for loader, transformer, scorer and reporter"),
        "credit_quotas": ({"load": 0, "transform": 1, "sink": 1, "report": 1}, "write whole numbers from 1 on"),
        "network_allowed_ips": (["0.0.0.0/0"], "leave the list empty instead"),
        "readers": (["PUBLIC"], "PUBLIC is everyone"),
        "startup": ("warm", "write none, snapstart or provisioned"),
        "log_retention_days": (31, "CloudWatch takes 1, 3, 5, 7, 14"),
        "packages": ({"churn_api": "no.zip", "prediction_sink": "no.zip"}, "Run `make package` first"),
    }
    result = terraform.planning("plan", **{name: given for name, (given, _) in wrong.items()})
    assert result.status == 1
    for name, (_, sentence) in wrong.items():
        assert sentence in result.flowing, f"{name}\n{result.errors}"


def test_what_airbyte_needs_to_reach_a_source_and_snowflake_is_asked_for(terraform):
    result = terraform.planning("plan", source_settings={}, loader_private_key="key.p8")
    assert result.status == 1
    assert "loader_private_key: write secret_coordinate::NAME" in result.flowing
    assert "The source hubspot needs HUBSPOT_ACCESS_TOKEN" in result.flowing
    files = {"orders_csv": {"order_lines": {"url": "https://files.example.com/a.csv"}}}
    result = terraform.planning("plan", source_files=files)
    assert result.status == 1
    assert (
        "only entries that source_names, contacts_source or products_source name are synced: hubspot" in result.flowing
    )


def test_a_private_key_is_no_public_key_also_without_its_first_line(terraform):
    private = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj" + "A" * 1600
    keys = terraform.variables["public_keys"]
    for name, given in (("public_keys", keys | {"loader": private}), ("next_public_keys", {"loader": private})):
        result = terraform.planning("plan", **{name: given})
        assert result.status == 1
        assert f"{name}: write" in result.flowing


def test_a_value_that_only_the_provider_refuses_fails_at_plan(terraform):
    result = terraform.planning("plan", python_runtime="python3.99")
    assert result.status == 1
    assert "write python3.13" in result.flowing


# Prod


def test_destroying_prods_data_needs_a_second_step(terraform, applied):
    """The first step is refused at plan, before anything is touched."""
    prod = Terraform(terraform.folder, terraform.reattach, terraform.variables, "prod.tfvars")
    prod.apply()
    result = prod.planning("destroy", "-auto-approve")
    assert result.status == 1
    assert "prevent_destroy" in result.text
    for guarded in ("module.snowflake.terraform_data.production_data", "module.aws.terraform_data.production_data"):
        assert guarded in result.flowing.replace(" ", "")
    renamed = prod.planning("plan", "-var=database=OTHER")
    assert renamed.status == 1
    assert 'production_data["database"]' in renamed.flowing.replace(" ", "")
    assert json.loads((terraform.folder / "terraform.tfstate").read_text())["resources"]


@pytest.mark.parametrize("policy_outlives_its_users", [True, False])
def test_an_allow_list_can_be_emptied_because_its_users_are_released_first(
    providers, tmp_path, policy_outlives_its_users
):
    """Snowflake drops no policy that a user has."""
    terraform = Terraform.copied(tmp_path, providers, variables=variables(tmp_path))
    if not policy_outlives_its_users:
        for file in ("snowflake/network.tf", "aws/snowflake_api.tf"):  # what depends on a policy hands it on
            changed = terraform.folder / file
            changed.write_text(changed.read_text().replace("create_before_destroy = true", ""))
    few = [
        f"-target=module.snowflake.snowflake_{one}" for one in ("network_policy.service_users", "service_user.purpose")
    ]
    listed = terraform.planning("apply", "-auto-approve", *few, network_allowed_ips=["203.0.113.8"])
    assert listed.status == 0, listed.errors
    emptied = terraform.planning("apply", "-auto-approve", *few)
    if policy_outlives_its_users:
        assert (emptied.status, "1 destroyed" in emptied.text) == (0, True), emptied.errors
    else:
        assert "The policy is attached to USER" in emptied.flowing


def test_another_name_in_prod_is_refused_for_it_would_replace_every_user_and_warehouse(terraform, applied):
    prod = Terraform(terraform.folder, terraform.reattach, terraform.variables, "prod.tfvars")
    prod.apply()
    renamed = prod.planning("plan", "-var=name=other")
    assert renamed.status == 1
    assert 'production_data["name"]' in renamed.flowing.replace(" ", "")
    same = prod.planning("plan", "-var=database=shop")  # the provider writes every name in capitals
    assert same.status == 0, same.errors


# That the stand-in would notice


@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        ("snowflake/masking.tf", "ordered_allowed_values", "allowed_values"),
        (
            "providers.tf",
            '"snowflake_table_resource",',
            '"snowflake_table_resource", "snowflake_stage_internal_resource",',
        ),
    ],
)
def test_what_a_provider_deprecates_fails(providers, tmp_path, file, right, wrong):
    terraform = Terraform.copied(tmp_path, providers, variables=variables(tmp_path))
    changed = terraform.folder / file
    changed.write_text(changed.read_text().replace(right, wrong))
    with pytest.raises(AssertionError, match="Warning: Deprecated"):
        terraform.planning("plan")


@pytest.mark.parametrize(
    ("file", "right", "wrong", "command", "result"),
    [
        ("aws/queue.tf", "receive_wait_time_seconds", "receive_wait_seconds", "validate", "Unsupported argument"),
        ("aws/iam.tf", '"lambda.amazonaws.com"', '"lambda.amazon.com"', "validate", "which is no Service"),
        ("snowflake/warehouses.tf", '"STANDARD"', '"TINY"', "validate", "warehouse_type must be one of"),
        (
            "providers.tf",
            '"snowflake_external_function_resource",',
            "",
            "plan",
            "add snowflake_external_function_resource to preview_features_enabled",
        ),
    ],
    ids=["argument", "principal", "size", "preview"],
)
def test_a_mistake_in_the_hcl_is_found(providers, tmp_path, file, right, wrong, command, result):
    terraform = Terraform.copied(tmp_path, providers, variables=variables(tmp_path))
    changed = terraform.folder / file
    text = changed.read_text()
    assert right in text
    changed.write_text(text.replace(right, wrong))
    found = terraform.run("validate") if command == "validate" else terraform.planning("plan")
    assert found.status == 1
    assert result in found.flowing
