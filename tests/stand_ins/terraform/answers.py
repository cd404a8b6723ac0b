"""What providers compute: ids, names and addresses as the real ones look, from the plan alone."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.stand_ins.terraform.policies import render
from tests.stand_ins.terraform.values import Unknown, Value

# AWS's own example account, unless the provider's configuration allows another one only
EXAMPLE_ACCOUNT = "123456789012"

_ARNS = {
    "aws_api_gateway_rest_api": "arn:aws:apigateway:{region}::/restapis/{short}",
    "aws_api_gateway_stage": "arn:aws:apigateway:{region}::/restapis/{rest_api_id}/stages/{stage_name}",
    "aws_apigatewayv2_api": "arn:aws:apigateway:{region}::/apis/{short}",
    "aws_apigatewayv2_stage": "arn:aws:apigateway:{region}::/apis/{api_id}/stages/{name}",
    "aws_budgets_budget": "arn:aws:budgets::{account}:budget/{name}",
    "aws_cloudwatch_dashboard": "arn:aws:cloudwatch::{account}:dashboard/{dashboard_name}",
    "aws_cloudwatch_event_rule": "arn:aws:events:{region}:{account}:rule/{name}",
    "aws_cloudwatch_log_group": "arn:aws:logs:{region}:{account}:log-group:{name}",
    "aws_cloudwatch_metric_alarm": "arn:aws:cloudwatch:{region}:{account}:alarm:{alarm_name}",
    "aws_ecr_repository": "arn:aws:ecr:{region}:{account}:repository/{name}",
    "aws_ecs_cluster": "arn:aws:ecs:{region}:{account}:cluster/{name}",
    "aws_ecs_task_definition": "arn:aws:ecs:{region}:{account}:task-definition/{family}:1",
    "aws_iam_openid_connect_provider": "arn:aws:iam::{account}:oidc-provider/api.prefect.cloud/oidc-provider",
    "aws_iam_policy": "arn:aws:iam::{account}:policy/{name}",
    "aws_iam_role": "arn:aws:iam::{account}:role/{name}",
    "aws_kms_key": "arn:aws:kms:{region}:{account}:key/{uuid}",
    "aws_lambda_alias": "arn:aws:lambda:{region}:{account}:function:{function_name}:{name}",
    "aws_lambda_event_source_mapping": "arn:aws:lambda:{region}:{account}:event-source-mapping:{uuid}",
    "aws_lambda_function": "arn:aws:lambda:{region}:{account}:function:{function_name}",
    "aws_s3_bucket": "arn:aws:s3:::{bucket}",
    "aws_secretsmanager_secret": "arn:aws:secretsmanager:{region}:{account}:secret:{name}-{short:.6}",
    "aws_sns_topic": "arn:aws:sns:{region}:{account}:{name}",
    "aws_sns_topic_subscription": "{topic_arn}:{uuid}",
    "aws_sqs_queue": "arn:aws:sqs:{region}:{account}:{name}",
}
_INVOKE = "arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"
_OTHERS: dict[str, dict[str, str]] = {
    "aws_api_gateway_rest_api": {
        "id": "{short}", "root_resource_id": "{short}",
        "execution_arn": "arn:aws:execute-api:{region}:{account}:{short}",
    },
    "aws_api_gateway_resource": {"id": "{short}", "path": "/{path_part}"},
    "aws_api_gateway_stage": {
        "invoke_url": "https://{rest_api_id}.execute-api.{region}.amazonaws.com/{stage_name}",
        "execution_arn": "arn:aws:execute-api:{region}:{account}:{rest_api_id}/{stage_name}",
    },
    "aws_apigatewayv2_api": {
        "id": "{short}", "api_endpoint": "https://{short}.execute-api.{region}.amazonaws.com",
        "execution_arn": "arn:aws:execute-api:{region}:{account}:{short}",
    },
    "aws_apigatewayv2_integration": {"id": "{short}"},
    "aws_apigatewayv2_stage": {
        "invoke_url": "https://{api_id}.execute-api.{region}.amazonaws.com/",
        "execution_arn": "arn:aws:execute-api:{region}:{account}:{api_id}/{name}",
    },
    "aws_ecr_repository": {"id": "{name}", "repository_url": "{account}.dkr.ecr.{region}.amazonaws.com/{name}"},
    "aws_ecs_task_definition": {
        "id": "{family}", "revision": "1",
        "arn_without_revision": "arn:aws:ecs:{region}:{account}:task-definition/{family}",
    },
    "aws_iam_role": {"id": "{name}", "unique_id": "AROA{short}"},
    "aws_lambda_alias": {"invoke_arn": _INVOKE},
    "aws_lambda_event_source_mapping": {"id": "{uuid}", "uuid": "{uuid}"},
    "aws_lambda_function": {
        "id": "{function_name}", "invoke_arn": _INVOKE, "version": "1", "qualified_arn": "{arn}:1",
        "qualified_invoke_arn": "arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}:1/invocations",
    },
    "aws_s3_bucket": {
        "id": "{bucket}", "bucket_domain_name": "{bucket}.s3.amazonaws.com",
        "bucket_regional_domain_name": "{bucket}.s3.{region}.amazonaws.com",
    },
    "aws_security_group": {"id": "sg-{short}"},
    "aws_sqs_queue": {
        "id": "https://sqs.{region}.amazonaws.com/{account}/{name}",
        "url": "https://sqs.{region}.amazonaws.com/{account}/{name}",
    },
}  # fmt: skip
_SNOWFLAKE_PRINCIPAL = {
    "api_aws_iam_user_arn": "arn:aws:iam::{account}:user/snowflake-{short}",
    "api_aws_external_id": "STAND_IN_SFCRole={short}",
}


@dataclass(frozen=True)
class Surroundings:
    """What the provider's own block says."""

    config: Mapping[str, Any]

    @property
    def region(self) -> str:
        return self.config.get("region") or "eu-central-1"

    @property
    def account(self) -> str:
        allowed = self.config.get("allowed_account_ids")
        return allowed[0] if isinstance(allowed, list) and allowed else EXAMPLE_ACCOUNT

    @property
    def default_tags(self) -> dict[str, str]:
        blocks = self.config.get("default_tags") or []
        return {key: value for block in blocks for key, value in (block.get("tags") or {}).items()}


def seed_of(kind: str, planned: Value) -> str:
    """The same for the same object: what it is called, wherever it is."""
    naming = ("name", "function_name", "bucket", "alarm_name", "statement_id", "database", "schema", "role")
    known = {name: planned[name] for name in naming if isinstance(planned.get(name), str)}
    return f"{kind}|{json.dumps(known or {k: v for k, v in planned.items() if v is not Unknown}, default=str)}"


def computed(kind: str, planned: Value, around: Surroundings, attribute: str) -> Any:
    """The value of a computed attribute; Unknown, where any value will do."""
    if attribute == "tags_all":
        return around.default_tags | (planned.get("tags") or {})
    if kind == "aws_iam_policy_document":
        return render(planned) if attribute in ("json", "minified_json") else Unknown
    if kind.startswith("snowflake_"):
        return _of_snowflake(kind, planned, around, attribute)
    if kind == "aws_s3_bucket" and attribute == "bucket" and planned.get("bucket_prefix"):
        return planned["bucket_prefix"] + _digest(seed_of(kind, planned))[:12]
    fields = _fields(kind, planned, around)
    if attribute == "arn" and "arn" in fields:
        return fields["arn"]
    text = _OTHERS.get(kind, {}).get(attribute)
    return Unknown if text is None else text.format(**fields)


def _fields(kind: str, planned: Value, around: Surroundings) -> dict[str, str]:
    digest = _digest(seed_of(kind, planned))
    fields = {name: value for name, value in planned.items() if isinstance(value, str)} | {
        "region": around.region,
        "account": around.account,
        "short": digest[:10],
        "uuid": "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32])),
    }
    if kind in _ARNS:
        fields["arn"] = _ARNS[kind].format(**fields)
    return fields


def _of_snowflake(kind: str, planned: Value, around: Surroundings, attribute: str) -> Any:
    parts = [planned[name] for name in ("database", "schema", "name") if isinstance(planned.get(name), str)]
    if attribute == "fully_qualified_name":
        return ".".join(f'"{part}"' for part in parts)
    if attribute == "id":
        return ".".join(f'"{part}"' for part in parts) or Unknown
    if kind == "snowflake_service_user" and attribute == "network_policy":
        return ""  # the account's
    fields = _fields(kind, planned, around)
    principal = {name: text.format(**fields) for name, text in _SNOWFLAKE_PRINCIPAL.items()}
    if attribute in principal:
        return principal[attribute]
    if attribute == "describe_output" and kind == "snowflake_api_integration_amazon_api_gateway":
        described = {
            "api_aws_role_arn": planned.get("api_aws_role_arn"), "api_key": "", "api_provider": "AWS_API_GATEWAY",
            "allowed_prefixes": planned.get("api_allowed_prefixes"), "blocked_prefixes": [], "comment": "",
            "enabled": True,
        }  # fmt: skip
        return [described | principal]
    return Unknown


def _digest(seed: str) -> str:
    return hashlib.sha256(seed.encode()).hexdigest()
