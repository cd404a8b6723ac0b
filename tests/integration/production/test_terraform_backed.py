"""What Terraform plans is taken by APIs: AWS's part by moto's AWS, Prefect's part by a real Prefect server."""

import json
import shutil
import subprocess
import sys
import urllib.request

import boto3
import pytest

from flows.commands.env_file import as_lines, read_outputs
from flows.settings import REPOSITORY
from tests.running.prefect_server import prefect_server
from tests.stand_ins.snowflake_server import der, encrypted
from tests.stand_ins.terraform.inputs import variables
from tests.stand_ins.terraform.running import NOT_INSTALLED, Terraform, is_installed, stand_in

pytestmark = [pytest.mark.whole_run, pytest.mark.skipif(not is_installed(), reason=NOT_INSTALLED)]

PASSPHRASE = "open sesame"
ALERTS = "http://127.0.0.1:9/alerts"


@pytest.fixture(scope="module")
def prefect(tmp_path_factory):
    """The environment of a machine whose Prefect server is new; Terraform finds there what Prefect registers itself."""
    register = (
        "from prefect.blocks.system import Secret\n"
        "from prefect.blocks.notifications import CustomWebhookNotificationBlock\n"
        "from prefect_snowflake import SnowflakeConnector\n"
        "for block in (Secret, CustomWebhookNotificationBlock, SnowflakeConnector): block.register_type_and_schema()"
    )
    with prefect_server(tmp_path_factory.mktemp("prefect")) as env:
        subprocess.run([sys.executable, "-c", register], env=env, check=True)
        yield env


@pytest.fixture(scope="module")
def aws(_moto):
    """An AWS that is empty at the start."""
    urllib.request.urlopen(urllib.request.Request(f"{_moto}/moto-api/reset", method="POST")).close()

    def client(service):
        return boto3.client(
            service, region_name="eu-central-1", endpoint_url=_moto,
            aws_access_key_id="testing", aws_secret_access_key="testing",
        )  # fmt: skip

    client.url = _moto
    return client


@pytest.fixture(scope="module")
def made(aws, prefect, tmp_path_factory):
    """dev, applied with both; it is removed again by the last test."""
    folder = tmp_path_factory.mktemp("terraform")
    given = variables(folder) | {
        "prefect": {"api_url": prefect["PREFECT_API_URL"], "plan": "server", "local_pool": True},
        "runs": {"on": "machine"},
        "sink_every_hours": 0,
        "transformer_private_key": encrypted(PASSPHRASE.encode()),
        "transformer_private_key_passphrase": PASSPHRASE,
        "prefect_api_key": None,
        "alerts_secret": ALERTS,
    }
    with stand_in("--aws", aws.url, "--prefect") as reattach:
        terraform = Terraform.copied(folder, reattach, variables=given)
        terraform.apply()
        yield terraform


def outputs(terraform):
    return {name: output["value"] for name, output in json.loads(terraform.must("output", "-json")).items()}


def ask(prefect, path, body=None):
    request = urllib.request.Request(
        f"{prefect['PREFECT_API_URL']}/{path}",
        None if body is None else json.dumps(body).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def changed(terraform, **variables):
    plan = terraform.plan(**variables)
    return [one["address"] for one in plan["resource_changes"] if one["change"]["actions"] != ["no-op"]]


def test_after_a_backed_apply_nothing_is_left_to_change(made):
    assert changed(made) == []


def test_a_response_that_is_sent_reaches_the_sink_and_in_the_end_the_dead_letters(aws, made):
    result = outputs(made)["environment_variables"]
    attributes = aws("sqs").get_queue_attributes(QueueUrl=result["QUEUE_URL"], AttributeNames=["All"])["Attributes"]
    redrive = json.loads(attributes["RedrivePolicy"])
    dead = aws("sqs").get_queue_attributes(QueueUrl=result["DEAD_LETTER_QUEUE_URL"], AttributeNames=["QueueArn"])
    assert redrive["deadLetterTargetArn"] == dead["Attributes"]["QueueArn"]
    (mapping,) = aws("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert mapping["EventSourceArn"] == attributes["QueueArn"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    timeout = aws("lambda").get_function(FunctionName=mapping["FunctionArn"])["Configuration"]["Timeout"]
    assert int(attributes["VisibilityTimeout"]) >= 6 * timeout  # as AWS asks


def test_each_lambda_may_be_assumed_by_lambda_alone_and_do_only_what_is_named(aws, made):
    for function in aws("lambda").list_functions()["Functions"]:
        name = function["Role"].rpartition("/")[2]
        role = aws("iam").get_role(RoleName=name)["Role"]
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
        for policy in aws("iam").list_role_policies(RoleName=name)["PolicyNames"]:
            document = aws("iam").get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            for statement in document["Statement"]:
                for action in [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]:
                    assert "*" not in action, (name, action)
                assert statement["Resource"] != "*", (name, statement)


def test_models_are_kept_encrypted_versioned_and_private(aws, made):
    bucket = outputs(made)["environment_variables"]["MODELS"].removeprefix("s3://").partition("/")[0]
    s3 = aws("s3")
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] in ("AES256", "aws:kms")
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]


def test_secrets_are_made_empty_and_filled_by_hand(aws, made):
    for arn in outputs(made)["secrets_to_fill"].values():
        assert not aws("secretsmanager").describe_secret(SecretId=arn).get("VersionIdsToStages")


def test_alarms_go_to_the_topic(aws, made):
    alarms = aws("cloudwatch").describe_alarms()["MetricAlarms"]
    topics = {topic["TopicArn"] for topic in aws("sns").list_topics()["Topics"]}
    assert len(alarms) >= 5
    assert all(set(alarm["AlarmActions"]) <= topics and alarm["AlarmActions"] for alarm in alarms)


def test_a_new_package_moves_the_alias_and_a_raised_version_writes_the_secrets_again(made, tmp_path):
    package = tmp_path / "churn_api.zip"
    package.write_bytes(b"another model")
    packages = made.variables["packages"] | {"churn_api": str(package)}
    assert sorted(changed(made, packages=packages, secrets_version=2)) == [
        'module.aws.aws_lambda_alias.live["churn_api"]',
        'module.aws.aws_lambda_function.all["churn_api"]',
        "module.prefect.prefect_block.airbyte[0]",
        "module.prefect.prefect_block.alerts",
        "module.prefect.prefect_block.hubspot[0]",
        "module.prefect.prefect_block.snowflake_credentials",
        "module.prefect.prefect_block.tableau[0]",
    ]


def test_what_was_removed_by_hand_is_created_again(aws, made):
    result = outputs(made)["environment_variables"]
    aws("cloudwatch").delete_alarms(AlarmNames=["rfm-churn-dev-dead-letters"])
    assert changed(made) == ['module.aws.aws_cloudwatch_metric_alarm.all["dead-letters"]']
    made.apply()
    assert result == outputs(made)["environment_variables"]


def test_the_runs_find_their_block_with_a_key_that_opens_and_an_address_for_alerts(prefect, made):
    program = """
from prefect.blocks.system import Secret
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from flows.adapters.airbyte.credentials import read_credentials
from flows.adapters.snowflake.account import SnowflakeAccount
from flows.settings import AirbyteSettings, SnowflakeSettings
account = SnowflakeAccount.read(SnowflakeSettings(block="rfm-churn"))
print(account.connection_arguments()["private_key"].hex())
print(account)
print(CustomWebhookNotificationBlock.load("alerts").secrets.get_secret_value()["secret"])
print(*read_credentials(AirbyteSettings(block="airbyte")))
"""
    result = subprocess.run(
        [sys.executable, "-c", program], env=prefect, cwd=REPOSITORY, capture_output=True, text=True
    )
    key, account, alerts, airbyte = result.stdout.splitlines()[-4:]
    assert key == der().hex(), result.stderr
    assert "user='RFM_CHURN_DEV_TRANSFORMER', role='RFM_CHURN_DEV_TRANSFORMER'" in account
    assert "warehouse='RFM_CHURN_DEV_TRANSFORM', database='SHOP_DEV', schema='raw'" in account
    assert alerts == ALERTS
    assert airbyte == "found-airbytes-id found-airbytes-secret"
    assert PASSPHRASE not in (made.folder / "terraform.tfstate").read_text()


def test_make_deploy_adds_the_deployments_to_what_terraform_owns_and_changes_nothing_of_it(prefect, made):
    if shutil.which("terraform") is None:
        pytest.skip("make env wants terraform on PATH")
    lines = as_lines(read_outputs(made.folder)).splitlines()
    env = prefect | dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    result = subprocess.run(
        [sys.executable, "-m", "flows", "deploy"], env=env, cwd=REPOSITORY, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    deployments = ask(prefect, "deployments/filter", {})
    assert len(deployments) == 10
    assert {one["work_pool_name"] for one in deployments} == {"rfm-churn", "rfm-churn-local"}
    (daily,) = [one for one in deployments if one["name"] == "production" and "daily" in one["entrypoint"]]
    job_env = daily["job_variables"]["env"]
    assert (job_env["SNOWFLAKE_BLOCK"], job_env["SOURCE"], job_env["AIRBYTE_BLOCK"]) == (
        "rfm-churn",
        "hubspot",
        "airbyte",
    )
    assert len(ask(prefect, "automations/filter", {})) == 4
    assert changed(made) == []


def test_pools_and_limit_let_one_run_at_a_time(prefect, made):
    assert {one["name"]: one["concurrency_limit"] for one in ask(prefect, "work_pools/filter", {})} == {
        "rfm-churn": 1, "rfm-churn-local": 1,
    }  # fmt: skip
    assert ask(prefect, "v2/concurrency_limits/rfm-churn")["limit"] == 1


def test_everything_is_gone_after_destroy(aws, prefect, made):
    result = made.planning("destroy", "-auto-approve")
    assert result.status == 0, result.errors
    assert not aws("sqs").list_queues().get("QueueUrls")
    assert not aws("lambda").list_functions()["Functions"]
    assert not aws("s3").list_buckets()["Buckets"]
    assert not ask(prefect, "automations/filter", {})
    assert not ask(prefect, "work_pools/filter", {})
