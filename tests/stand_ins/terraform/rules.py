"""What the schemas do not say and the providers or their APIs refuse. Paths lead through blocks; lists are left out."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.stand_ins.terraform.policies import problems_of_policy
from tests.stand_ins.terraform.values import paths

Path = tuple[str, ...]

ONE_OF: dict[str, dict[Path, set[Any]]] = {
    "airbyte_connection": {
        ("schedule", "schedule_type"): {"manual", "cron"},
        ("namespace_definition",): {"source", "destination", "custom_format"},
        ("non_breaking_schema_updates_behavior",): {
            "ignore", "disable_connection", "propagate_columns", "propagate_fully",
        },
        ("status",): {"active", "inactive", "deprecated", "locked"},
        ("configurations", "streams", "sync_mode"): {
            "full_refresh_overwrite", "full_refresh_overwrite_deduped", "full_refresh_append", "incremental_append",
            "incremental_deduped_history",
        },
    },
    "aws_apigatewayv2_api": {("protocol_type",): {"HTTP", "WEBSOCKET"}},
    "aws_apigatewayv2_integration": {("payload_format_version",): {"1.0", "2.0"}},
    "aws_apigatewayv2_route": {("authorization_type",): {"NONE", "JWT", "AWS_IAM", "CUSTOM"}},
    "aws_api_gateway_method": {("authorization",): {"NONE", "CUSTOM", "AWS_IAM", "COGNITO_USER_POOLS"}},
    "aws_api_gateway_rest_api": {("endpoint_configuration", "types"): {"EDGE", "REGIONAL", "PRIVATE"}},
    "aws_budgets_budget": {
        ("budget_type",): {"COST", "USAGE", "RI_UTILIZATION", "RI_COVERAGE"},
        ("time_unit",): {"DAILY", "MONTHLY", "QUARTERLY", "ANNUALLY"},
    },
    "aws_cloudwatch_log_group": {
        ("retention_in_days",): {
            0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
        },
    },
    "aws_cloudwatch_metric_alarm": {
        ("comparison_operator",): {
            "GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold",
            "LessThanOrEqualToThreshold", "LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold",
            "GreaterThanUpperThreshold",
        },
        ("statistic",): {"SampleCount", "Average", "Sum", "Minimum", "Maximum"},
        ("treat_missing_data",): {"missing", "ignore", "breaching", "notBreaching"},
    },
    "aws_ecr_repository": {("image_tag_mutability",): {"MUTABLE", "IMMUTABLE"}},
    "aws_ecs_cluster": {("setting", "name"): {"containerInsights"}},
    "aws_ecs_task_definition": {
        ("network_mode",): {"awsvpc"},  # Fargate's only one
        ("requires_compatibilities",): {"FARGATE", "EC2", "EXTERNAL"},
        ("runtime_platform", "cpu_architecture"): {"X86_64", "ARM64"},
    },
    "aws_lambda_function": {
        ("runtime",): {"python3.10", "python3.11", "python3.12", "python3.13", "python3.14"},  # that may still be made
        ("architectures",): {"x86_64", "arm64"},
        ("package_type",): {"Zip", "Image"},
        ("snap_start", "apply_on"): {"PublishedVersions", "None"},
        ("tracing_config", "mode"): {"Active", "PassThrough"},
        ("logging_config", "log_format"): {"JSON", "Text"},
    },
    "aws_lambda_event_source_mapping": {("function_response_types",): {"ReportBatchItemFailures"}},
    "aws_s3_bucket_server_side_encryption_configuration": {
        ("rule", "apply_server_side_encryption_by_default", "sse_algorithm"): {"AES256", "aws:kms", "aws:kms:dsse"},
    },
    "aws_s3_bucket_versioning": {("versioning_configuration", "status"): {"Enabled", "Suspended", "Disabled"}},
    "aws_s3_bucket_lifecycle_configuration": {("rule", "status"): {"Enabled", "Disabled"}},
    "aws_s3_bucket_ownership_controls": {
        ("rule", "object_ownership"): {"BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced"},
    },
    "aws_sns_topic_subscription": {("protocol",): {"email", "email-json", "https", "lambda", "sqs", "sms"}},
    "prefect_automation": {
        ("trigger", "event", "posture"): {"Reactive", "Proactive"},
        ("actions", "type"): {
            "call-webhook", "cancel-flow-run", "change-flow-run-state", "declare-incident", "do-nothing",
            "pause-deployment", "pause-work-pool", "resume-deployment", "run-deployment", "send-notification",
        },
    },
    "prefect_work_pool": {
        ("type",): {"process", "docker", "kubernetes", "ecs", "ecs:push", "prefect:managed"},
    },
    "snowflake_api_integration_amazon_api_gateway": {
        ("api_provider",): {
            "aws_api_gateway", "aws_private_api_gateway", "aws_gov_api_gateway", "aws_gov_private_api_gateway",
        },
    },
    "snowflake_external_function": {
        ("return_behavior",): {"VOLATILE", "IMMUTABLE"},
        ("compression",): {"NONE", "AUTO", "GZIP", "DEFLATE"},
        ("null_input_behavior",): {"CALLED ON NULL INPUT", "RETURNS NULL ON NULL INPUT", "STRICT"},
    },
    "snowflake_grant_privileges_to_account_role": {
        ("on_account_object", "object_type"): {
            "USER", "RESOURCE MONITOR", "WAREHOUSE", "COMPUTE POOL", "DATABASE", "INTEGRATION", "CONNECTION",
            "FAILOVER GROUP", "REPLICATION GROUP", "EXTERNAL VOLUME",
        },
    },
    "snowflake_resource_monitor": {("frequency",): {"MONTHLY", "DAILY", "WEEKLY", "YEARLY", "NEVER"}},
    "snowflake_service_user": {("default_secondary_roles_option",): {"DEFAULT", "NONE", "ALL"}},
    "snowflake_warehouse": {
        ("warehouse_size",): {
            "XSMALL", "X-SMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE", "X-LARGE", "XXLARGE", "X2LARGE", "2X-LARGE",
        },
        ("warehouse_type",): {"STANDARD", "SNOWPARK-OPTIMIZED"},
        ("auto_resume",): {"true", "false", "default"},
    },
}  # fmt: skip

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
MATCHES: dict[str, dict[Path, str]] = {
    "airbyte_source": {("workspace_id",): UUID, ("definition_id",): UUID},
    "airbyte_destination": {("workspace_id",): UUID, ("definition_id",): UUID},
    "airbyte_declarative_source_definition": {("workspace_id",): UUID},
    "aws_cloudwatch_metric_alarm": {("alarm_actions",): r"arn:aws[a-z-]*:.+"},
    "aws_iam_role": {("name",): r"[\w+=,.@-]{1,64}"},
    "aws_lambda_function": {
        ("function_name",): r"[a-zA-Z0-9-_]{1,64}",
        ("role",): r"arn:aws[a-z-]*:iam::\d{12}:role/.+",
    },
    "aws_ecr_repository": {("name",): r"[a-z0-9]+([._/-][a-z0-9]+)*"},
    "aws_iam_openid_connect_provider": {("url",): r"https://.+"},
    "aws_s3_bucket": {("bucket",): r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"},
    "aws_sns_topic_subscription": {("topic_arn",): r"arn:aws[a-z-]*:sns:.+"},
    "aws_sqs_queue": {("name",): r"[A-Za-z0-9_-]{1,80}"},
    "prefect_block": {("name",): r"[a-z0-9][a-z0-9-]*", ("type_slug",): r"[a-z0-9-]+"},
    "snowflake_service_user": {("rsa_public_key",): r"[A-Za-z0-9+/=\s]+"},  # the body, without the lines around it
}

# Text that is read as JSON
JSON: dict[str, set[Path]] = {
    "airbyte_declarative_source_definition": {("manifest",)},
    "airbyte_destination": {("configuration",)},
    "airbyte_source": {("configuration",)},
    "aws_cloudwatch_dashboard": {("dashboard_body",)},
    "aws_ecr_lifecycle_policy": {("policy",)},
    "aws_ecs_task_definition": {("container_definitions",)},
    "aws_sqs_queue": {("redrive_policy",)},
    "aws_sqs_queue_redrive_allow_policy": {("redrive_allow_policy",)},
    "prefect_automation": {
        ("trigger", "event", "match"), ("trigger", "event", "match_related"), ("actions", "parameters"),
        ("actions", "job_variables"),
    },
    "prefect_block": {("data",), ("data_wo",)},
    "prefect_work_pool": {("base_job_template",)},
}  # fmt: skip

# A change of these recreates the object
FORCE_NEW: dict[str, set[str]] = {
    "airbyte_connection": {"source_id", "destination_id"},
    "airbyte_declarative_source_definition": {"name"},
    "airbyte_destination": {"workspace_id", "definition_id"},
    "airbyte_source": {"workspace_id", "definition_id"},
    "aws_cloudwatch_log_group": {"name"},
    "aws_iam_role": {"name", "path"},
    "aws_lambda_function": {"function_name", "package_type"},
    "aws_s3_bucket": {"bucket"},
    "aws_secretsmanager_secret": {"name"},
    "aws_sns_topic": {"name"},
    "aws_sqs_queue": {"name", "fifo_queue"},
    "prefect_block": {"type_slug", "workspace_id"},
    "prefect_work_pool": {"name", "type", "workspace_id"},
    "snowflake_external_function": {"name", "database", "schema", "arg", "return_type"},
    "snowflake_stage_internal": {"name", "database", "schema"},
}

# Computed from what may change; Terraform must not count on the value before
FOLLOWS: dict[str, dict[str, set[str]]] = {
    "aws_lambda_function": {
        name: {"source_code_hash", "s3_key", "environment", "memory_size", "runtime", "handler", "timeout"}
        for name in ("version", "qualified_arn", "qualified_invoke_arn", "last_modified")
    },
}

# Parameters of an object that its provider unsets when they are left out, although they are computed: what was set
# before does not stay
UNSET_WHEN_LEFT_OUT: dict[str, set[str]] = {"snowflake_service_user": {"network_policy"}}

# Snowflake's provider has these only if preview_features_enabled names them
PREVIEW = {
    "snowflake_api_integration", "snowflake_dynamic_table",
    "snowflake_email_notification_integration", "snowflake_external_function", "snowflake_external_table",
    "snowflake_file_format", "snowflake_function_python", "snowflake_network_policy_attachment",
    "snowflake_network_rule", "snowflake_notification_integration", "snowflake_object_parameter",
    "snowflake_password_policy", "snowflake_pipe", "snowflake_sequence", "snowflake_share", "snowflake_stage",
    "snowflake_stage_external_s3", "snowflake_storage_integration",
    "snowflake_storage_integration_aws", "snowflake_table", "snowflake_table_column_masking_policy_application",
    "snowflake_table_constraint", "snowflake_user_authentication_policy_attachment",
    "snowflake_user_password_policy_attachment", "snowflake_user_public_keys",
}  # fmt: skip

# no previews any more: naming them is deprecated
STABLE_FEATURES = {"snowflake_stage_internal_resource", "snowflake_api_integration_amazon_api_gateway_resource"}

# Arguments that the provider still takes, with what to write instead; its documents say so, its schema does not
DEPRECATED: dict[str, dict[str, str]] = {"snowflake_tag": {"allowed_values": "ordered_allowed_values"}}

_IDENTITY, _TRUST, _RESOURCE = "identity", "trust", "resource"
POLICIES: dict[str, tuple[str, str]] = {
    "aws_iam_policy": ("policy", _IDENTITY),
    "aws_iam_role": ("assume_role_policy", _TRUST),
    "aws_iam_role_policy": ("policy", _IDENTITY),
    "aws_api_gateway_rest_api_policy": ("policy", _RESOURCE),
    "aws_s3_bucket_policy": ("policy", _RESOURCE),
    "aws_sns_topic_policy": ("policy", _RESOURCE),
    "aws_sqs_queue_policy": ("policy", _RESOURCE),
}


def problems(kind: str, config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Attribute and sentence, of each value that would be refused; what is not known yet is passed over."""
    for path, value in paths(config):
        if (allowed := ONE_OF.get(kind, {}).get(path)) and not _is_in(value, allowed):
            yield path[0], f"{'.'.join(path)} must be one of {', '.join(map(str, sorted(allowed)))}, not {value}"
        if (pattern := MATCHES.get(kind, {}).get(path)) and not re.fullmatch(pattern, str(value)):
            yield path[0], f"{'.'.join(path)} must look like {pattern}, not {value}"
        if path in JSON.get(kind, ()) and not _is_json(value):
            yield path[0], f"{'.'.join(path)} is not JSON"  # and not what it is: it may be a secret
    if kind in POLICIES:
        attribute, what_for = POLICIES[kind]
        if isinstance(config.get(attribute), str):
            for problem in problems_of_policy(config[attribute], what_for):
                yield attribute, f"{attribute}: {problem}"


def deprecated(kind: str, config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Attribute and sentence, of each argument that is deprecated."""
    for attribute, instead in DEPRECATED.get(kind, {}).items():
        if config.get(attribute) is not None:
            yield attribute, f"Deprecated: {attribute} of {kind}; write {instead}"


def preview_feature(kind: str) -> str | None:
    """The name by which Snowflake's provider wants this type enabled."""
    return f"{kind}_resource" if kind in PREVIEW else None


def replaces(kind: str, prior: dict[str, Any], planned: dict[str, Any]) -> list[str]:
    """The attributes whose change recreates the object."""
    return sorted(name for name in FORCE_NEW.get(kind, ()) if prior.get(name) != planned.get(name))


def to_be_computed(kind: str, prior: dict[str, Any], planned: dict[str, Any], config: dict[str, Any]) -> list[str]:
    """The computed attributes that a change leaves open again."""
    following = [
        name
        for name, causes in FOLLOWS.get(kind, {}).items()
        if any(prior.get(cause) != planned.get(cause) for cause in causes)
    ]
    unset = [name for name in UNSET_WHEN_LEFT_OUT.get(kind, ()) if prior.get(name) and config.get(name) is None]
    return following + unset


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _is_in(value: Any, allowed: set[Any]) -> bool:
    """Snowflake's provider takes small letters too; where a service does not, its API's model is of one case only."""
    return value in allowed or (isinstance(value, str) and value.upper() in allowed)
