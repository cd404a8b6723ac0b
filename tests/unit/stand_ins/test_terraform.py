"""The stand-in for Terraform's providers: what it refuses, what it computes, and that it knows what our HCL uses."""

import json
import re

import pytest

from flows.settings import REPOSITORY
from tests.stand_ins.terraform import answers, policies, pruned, rules
from tests.stand_ins.terraform.values import Unknown, planned, settled


def problems(kind, **config):
    return [sentence for _, sentence in rules.problems(kind, config)]


def test_the_schemas_know_every_type_that_the_hcl_declares():
    missing = pruned.missing_types()
    assert not missing, (
        f"tests/stand_ins/terraform/schemas does not know {', '.join(missing)}. With whole schemas in a folder, one"
        " file a provider as `terraform providers schema -json` prints them:"
        " python -m tests.stand_ins.terraform.pruned FOLDER"
    )


def test_the_schemas_hold_no_type_that_the_hcl_has_given_up():
    for provider, kinds in pruned.used_types().items():
        (schemas,) = json.loads((pruned.FOLDER / f"{provider}.json").read_text())["provider_schemas"].values()
        assert set(schemas["resource_schemas"]) == kinds["resource"], provider
        assert set(schemas["data_source_schemas"]) == kinds["data"], provider


@pytest.mark.parametrize(
    "file", sorted((REPOSITORY / "terraform").rglob("versions.tf")), ids=lambda file: file.parent.name
)
def test_the_pinned_providers_are_those_of_the_schemas(file):
    """Through TF_REATTACH_PROVIDERS Terraform does not compare versions itself."""
    text = re.sub(r"#.*", "", file.read_text())
    pinned = dict(re.findall(r'source\s*=\s*"([^"]+)"(?:\s*version\s*=\s*"~> ([0-9.]+)")?', text))
    assert pinned
    assert set(pinned) <= set(pruned.VERSIONS)
    if file.parent.name == "terraform":
        assert pinned == pruned.VERSIONS
    for source, version in pinned.items():
        assert version in ("", pruned.VERSIONS[source]), source


def test_a_warehouse_size_or_runtime_that_does_not_exist_is_refused():
    assert not problems("snowflake_warehouse", warehouse_size="xsmall")
    assert problems("snowflake_warehouse", warehouse_size="TINY")
    assert not problems("aws_lambda_function", runtime="python3.13", architectures=["arm64"])
    assert len(problems("aws_lambda_function", runtime="python9.9", architectures=["sparc"])) == 2
    assert problems("aws_cloudwatch_log_group", retention_in_days=31)


def test_what_is_not_known_yet_is_passed_over():
    assert not problems("snowflake_warehouse", warehouse_size=Unknown)


def test_values_in_nested_blocks_are_looked_at_too():
    stream = {"name": "contacts", "sync_mode": "incremental_somehow"}
    (problem,) = problems("airbyte_connection", configurations={"streams": [stream]})
    assert "configurations.streams.sync_mode must be one of" in problem


def test_text_that_the_provider_reads_as_json_has_to_be_json_and_is_not_repeated():
    assert not problems("prefect_block", data_wo='{"value": "s3cret"}')
    (problem,) = problems("prefect_block", data_wo="s3cret")
    assert problem == "data_wo is not JSON"


def test_preview_features_of_snowflakes_provider_have_to_be_enabled():
    assert rules.preview_feature("snowflake_external_function") == "snowflake_external_function_resource"
    assert rules.preview_feature("snowflake_warehouse") is None


@pytest.mark.parametrize(
    ("statement", "what_for", "finding"),
    [
        ({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}, "identity", None),
        ({"Effect": "Allow", "Action": "SendMessage", "Resource": "*"}, "identity", "service:Action"),
        ({"Effect": "Permit", "Action": "sqs:*", "Resource": "*"}, "identity", "Allow or Deny"),
        ({"Effect": "Allow", "Action": "sqs:*", "Resource": "*", "Principal": "*"}, "identity", "names a principal"),
        ({"Effect": "Allow", "Action": "sts:AssumeRole"}, "trust", "without a principal"),
        (
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazon.com"}},
            "trust",
            "which is no Service",
        ),
        (
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Robot": "x"}},
            "trust",
            "of the kind Robot",
        ),
        ({"Effect": "Allow", "Action": "sqs:*", "Principal": "*"}, "resource", "without a resource"),
    ],
)
def test_a_policy_that_iam_would_refuse_is_refused(statement, what_for, finding):
    found = list(policies.problems_of_policy(json.dumps({"Version": "2012-10-17", "Statement": statement}), what_for))
    assert (finding is None and not found) or (finding and finding in " ".join(found)), found


def test_a_policy_document_is_rendered_as_aws_renders_it():
    config = {
        "statement": [
            {
                "sid": "Read",
                "actions": ["s3:PutObject", "s3:GetObject"],
                "resources": ["arn:aws:s3:::models/*"],
                "principals": [{"type": "AWS", "identifiers": ["arn:aws:iam::123456789012:role/a"]}],
                "condition": [{"test": "StringEquals", "variable": "sts:ExternalId", "values": ["x"]}],
            }
        ]
    }
    assert json.loads(policies.render(config)) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Read",
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject"],
                "Resource": "arn:aws:s3:::models/*",
                "Principal": {"AWS": "arn:aws:iam::123456789012:role/a"},
                "Condition": {"StringEquals": {"sts:ExternalId": "x"}},
            }
        ],
    }


def test_a_change_that_recreates_an_object_and_its_consequences_are_known():
    assert rules.replaces("aws_sqs_queue", {"name": "a"}, {"name": "b"}) == ["name"]
    assert rules.replaces("aws_sqs_queue", {"name": "a"}, {"name": "a"}) == []
    prior = {"source_code_hash": "old", "memory_size": 512}
    assert "version" in rules.to_be_computed("aws_lambda_function", prior, prior | {"source_code_hash": "new"}, prior)
    assert rules.to_be_computed("aws_lambda_function", prior, dict(prior), prior) == []
    user = {"network_policy": "OFFICE"}
    assert rules.to_be_computed("snowflake_service_user", user, user, user) == []
    assert rules.to_be_computed("snowflake_service_user", user, user, {"network_policy": None}) == ["network_policy"]


def test_a_plan_leaves_open_what_the_provider_computes_and_keeps_no_write_only_value():
    block = {
        "attributes": {
            "name": {"type": "string", "required": True},
            "id": {"type": "string", "computed": True},
            "secret": {"type": "string", "optional": True, "write_only": True},
        },
        "block_types": {
            "rule": {
                "nesting_mode": "list",
                "block": {"attributes": {"arn": {"type": "string", "computed": True}}},
            }
        },
    }
    value = planned(block, {"name": "a", "id": None, "secret": "s", "rule": [{"arn": None}]}, creates=True)
    assert value == {"name": "a", "id": Unknown, "secret": None, "rule": [{"arn": Unknown}]}
    state = settled(block, value, lambda name: "told" if name == "id" else Unknown, "seed")
    assert state["id"] == "told"
    assert isinstance(state["rule"][0]["arn"], str)
    again = planned(block, state, creates=False)
    assert again == state


def test_names_in_aws_look_as_aws_makes_them():
    around = answers.Surroundings({"region": "eu-west-3", "allowed_account_ids": ["210987654321"]})
    queue = {"name": "predictions"}
    assert answers.computed("aws_sqs_queue", queue, around, "arn") == "arn:aws:sqs:eu-west-3:210987654321:predictions"
    role = answers.computed("aws_iam_role", {"name": "sink"}, around, "arn")
    assert role == "arn:aws:iam::210987654321:role/sink"


def test_default_tags_come_to_everything_that_is_tagged():
    around = answers.Surroundings({"default_tags": [{"tags": {"project": "p", "owner": "a"}}]})
    tagged = answers.computed("aws_sqs_queue", {"name": "q", "tags": {"owner": "b"}}, around, "tags_all")
    assert tagged == {"project": "p", "owner": "b"}
