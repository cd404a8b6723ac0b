"""Makes AWS's objects with boto3 at the address of an AWS on this machine (moto), so that an API has taken the values.

What a resource is in the API's words stands in `KINDS`, one entry a type. Types that are not there are computed
by `answers` alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.stand_ins.terraform.provider import Refused
from tests.stand_ins.terraform.values import Value

Call = Callable[[Any, Value], Any]


@dataclass(frozen=True)
class Kind:
    """How a type is made, looked up and removed by a client of its service; `make` returns what the API tells of it."""

    service: str
    make: Call
    look_up: Call
    remove: Call
    changes_by_making: bool = True  # the API's call puts the whole thing, there or not


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value not in (None, [], {}, "")}


def _tags(value: Value, key: str = "Key", content: str = "Value") -> list[dict[str, str]]:
    return [{key: name, content: text} for name, text in (value.get("tags") or {}).items()]


def _first(value: Value, *path: str) -> Any:
    """What nested blocks hold, of each the first."""
    found: Any = value
    for name in path:
        found = (found or {}).get(name)
        if isinstance(found, list):
            found = found[0] if found else None
    return found


def _make_queue(sqs: Any, value: Value) -> Value:
    attributes = {
        "VisibilityTimeout": value.get("visibility_timeout_seconds"),
        "MessageRetentionPeriod": value.get("message_retention_seconds"),
        "ReceiveMessageWaitTimeSeconds": value.get("receive_wait_time_seconds"),
        "RedrivePolicy": value.get("redrive_policy"),
        "SqsManagedSseEnabled": "true" if value.get("sqs_managed_sse_enabled") else None,
        "KmsMasterKeyId": value.get("kms_master_key_id"),
    }
    texts = {name: str(given) for name, given in attributes.items() if given is not None}
    url = sqs.create_queue(QueueName=value["name"], Attributes=texts, tags=value.get("tags") or {})["QueueUrl"]
    returned = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return {"id": url, "url": url, "arn": returned["QueueArn"]}


def _queue_attribute(attribute: str, name: str) -> Kind:
    return Kind(
        "sqs",
        lambda sqs, v: sqs.set_queue_attributes(QueueUrl=v["queue_url"], Attributes={attribute: v[name]}),
        lambda sqs, v: sqs.get_queue_attributes(QueueUrl=v["queue_url"], AttributeNames=[attribute]),
        lambda sqs, v: sqs.set_queue_attributes(QueueUrl=v["queue_url"], Attributes={attribute: ""}),
    )


def _make_bucket(s3: Any, value: Value) -> Value:
    where = {"LocationConstraint": s3.meta.region_name}
    s3.create_bucket(Bucket=value["bucket"], CreateBucketConfiguration=where)
    return {"id": value["bucket"]}


def _bucket_setting(make: Call, read: str, remove: str | None) -> Kind:
    return Kind(
        "s3",
        make,
        lambda s3, v: getattr(s3, read)(Bucket=v["bucket"]),
        lambda s3, v: getattr(s3, remove)(Bucket=v["bucket"]) if remove else None,
    )


def _encrypt_bucket(s3: Any, value: Value) -> None:
    how = _first(value, "rule", "apply_server_side_encryption_by_default")
    default = _given(SSEAlgorithm=how["sse_algorithm"], KMSMasterKeyID=how.get("kms_master_key_id"))
    rule = {
        "ApplyServerSideEncryptionByDefault": default,
        "BucketKeyEnabled": bool(_first(value, "rule").get("bucket_key_enabled")),
    }
    s3.put_bucket_encryption(Bucket=value["bucket"], ServerSideEncryptionConfiguration={"Rules": [rule]})


def _close_bucket(s3: Any, value: Value) -> None:
    names = {"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"}
    settings = {name: bool(value.get(_snake(name))) for name in names}
    s3.put_public_access_block(Bucket=value["bucket"], PublicAccessBlockConfiguration=settings)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def _expire_in_bucket(s3: Any, value: Value) -> None:
    rules = []
    for rule in value["rule"]:
        expiration, earlier = _first(rule, "expiration") or {}, _first(rule, "noncurrent_version_expiration") or {}
        broken_off = _first(rule, "abort_incomplete_multipart_upload") or {}
        expires = _given(
            Days=expiration.get("days"), ExpiredObjectDeleteMarker=expiration.get("expired_object_delete_marker")
        )
        rules.append(
            {
                "ID": rule["id"],
                "Status": rule["status"],
                "Filter": {"Prefix": (_first(rule, "filter") or {}).get("prefix") or ""},
            }
            | _given(
                Expiration=expires,
                NoncurrentVersionExpiration=_given(NoncurrentDays=earlier.get("noncurrent_days")),
                AbortIncompleteMultipartUpload=_given(DaysAfterInitiation=broken_off.get("days_after_initiation")),
            )
        )
    s3.put_bucket_lifecycle_configuration(Bucket=value["bucket"], LifecycleConfiguration={"Rules": rules})


def _make_function(awslambda: Any, value: Value) -> Value:
    made = awslambda.create_function(
        FunctionName=value["function_name"],
        Role=value["role"],
        Code={"ZipFile": Path(value["filename"]).read_bytes()},
        Publish=bool(value.get("publish")),
        **_given(
            Handler=value.get("handler"),
            Runtime=value.get("runtime"),
            Architectures=value.get("architectures"),
            Description=value.get("description"),
            MemorySize=value.get("memory_size"),
            Timeout=value.get("timeout"),
            Environment={"Variables": _first(value, "environment", "variables") or {}},
            Tags=value.get("tags"),
        ),
    )
    if (reserved := value.get("reserved_concurrent_executions")) not in (None, -1):
        awslambda.put_function_concurrency(
            FunctionName=value["function_name"], ReservedConcurrentExecutions=int(reserved)
        )
    arn, version = made["FunctionArn"], made["Version"]
    base = arn.removesuffix(f":{version}")
    invoke = f"arn:aws:apigateway:{awslambda.meta.region_name}:lambda:path/2015-03-31/functions/{{}}/invocations"
    return {
        "id": value["function_name"], "arn": base, "version": version, "qualified_arn": f"{base}:{version}",
        "invoke_arn": invoke.format(base), "qualified_invoke_arn": invoke.format(f"{base}:{version}"),
    }  # fmt: skip


def _make_alias(awslambda: Any, value: Value) -> Value:
    made = awslambda.create_alias(
        FunctionName=value["function_name"], Name=value["name"], FunctionVersion=value["function_version"],
        Description=value.get("description") or "",
    )  # fmt: skip
    arn, region = made["AliasArn"], awslambda.meta.region_name
    invoke = f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"
    return {"id": arn, "arn": arn, "invoke_arn": invoke}


def _make_mapping(awslambda: Any, value: Value) -> Value:
    made = awslambda.create_event_source_mapping(
        EventSourceArn=value["event_source_arn"],
        FunctionName=value["function_name"],
        **_given(
            BatchSize=value.get("batch_size"),
            MaximumBatchingWindowInSeconds=value.get("maximum_batching_window_in_seconds"),
            FunctionResponseTypes=value.get("function_response_types"),
            ScalingConfig=_given(MaximumConcurrency=_first(value, "scaling_config", "maximum_concurrency")),
        ),
    )
    return {"id": made["UUID"], "uuid": made["UUID"]}


def _make_permission(awslambda: Any, value: Value) -> Value:
    awslambda.add_permission(
        **_given(
            FunctionName=value["function_name"], StatementId=value["statement_id"], Action=value["action"],
            Principal=value["principal"], SourceArn=value.get("source_arn"), Qualifier=value.get("qualifier"),
        )
    )  # fmt: skip
    return {"id": value["statement_id"]}


def _make_alarm(cloudwatch: Any, value: Value) -> Value:
    cloudwatch.put_metric_alarm(
        AlarmName=value["alarm_name"],
        ComparisonOperator=value["comparison_operator"],
        EvaluationPeriods=int(value["evaluation_periods"]),
        Dimensions=[{"Name": name, "Value": text} for name, text in (value.get("dimensions") or {}).items()],
        **_given(
            AlarmDescription=value.get("alarm_description"), Namespace=value.get("namespace"),
            MetricName=value.get("metric_name"), Statistic=value.get("statistic"), Period=value.get("period"),
            DatapointsToAlarm=value.get("datapoints_to_alarm"), TreatMissingData=value.get("treat_missing_data"),
            AlarmActions=value.get("alarm_actions"), OKActions=value.get("ok_actions"), Tags=_tags(value),
        ),
        Threshold=float(value["threshold"]),
    )  # fmt: skip
    return {"id": value["alarm_name"]}


def _make_role(iam: Any, value: Value) -> Value:
    made = iam.create_role(
        RoleName=value["name"], AssumeRolePolicyDocument=value["assume_role_policy"], Tags=_tags(value),
        **_given(Description=value.get("description"), MaxSessionDuration=value.get("max_session_duration")),
    )["Role"]  # fmt: skip
    return {"id": value["name"], "arn": made["Arn"], "unique_id": made["RoleId"]}


def _make_policy(iam: Any, value: Value) -> Value:
    made = iam.create_policy(
        PolicyName=value["name"], PolicyDocument=value["policy"], Description=value.get("description") or ""
    )["Policy"]
    return {"id": made["Arn"], "arn": made["Arn"]}


def _make_key(kms: Any, value: Value) -> Value:
    made = kms.create_key(
        Description=value.get("description") or "", Tags=_tags(value, "TagKey", "TagValue"),
        **_given(Policy=value.get("policy")),
    )["KeyMetadata"]  # fmt: skip
    if value.get("enable_key_rotation"):
        kms.enable_key_rotation(KeyId=made["KeyId"])
    return {"id": made["KeyId"], "key_id": made["KeyId"], "arn": made["Arn"]}


def _make_log_group(logs: Any, value: Value) -> Value:
    logs.create_log_group(
        logGroupName=value["name"], **_given(kmsKeyId=value.get("kms_key_id"), tags=value.get("tags"))
    )
    if value.get("retention_in_days"):
        logs.put_retention_policy(logGroupName=value["name"], retentionInDays=int(value["retention_in_days"]))
    return {"id": value["name"]}


def _log_group(logs: Any, value: Value) -> None:
    if not logs.describe_log_groups(logGroupNamePrefix=value["name"])["logGroups"]:
        raise LookupError


def _alarm(cloudwatch: Any, value: Value) -> None:
    if not cloudwatch.describe_alarms(AlarmNames=[value["alarm_name"]])["MetricAlarms"]:
        raise LookupError


def _make_topic(sns: Any, value: Value) -> Value:
    attributes = _given(KmsMasterKeyId=value.get("kms_master_key_id"))
    arn = sns.create_topic(Name=value["name"], Attributes=attributes, Tags=_tags(value))["TopicArn"]
    return {"id": arn, "arn": arn}


def _make_secret(secrets: Any, value: Value) -> Value:
    made = secrets.create_secret(
        Name=value["name"], Tags=_tags(value),
        **_given(Description=value.get("description"), KmsKeyId=value.get("kms_key_id")),
    )  # fmt: skip
    return {"id": made["ARN"], "arn": made["ARN"]}


def _make_http_api(apigateway: Any, value: Value) -> Value:
    made = apigateway.create_api(Name=value["name"], ProtocolType=value["protocol_type"], Tags=value.get("tags") or {})
    return {"id": made["ApiId"], "api_endpoint": made["ApiEndpoint"]}


def _make_rest_api(apigateway: Any, value: Value) -> Value:
    made = apigateway.create_rest_api(
        name=value["name"], endpointConfiguration={"types": _first(value, "endpoint_configuration")["types"]}
    )
    return {"id": made["id"], "root_resource_id": made["rootResourceId"]}


def _make_method(apigateway: Any, value: Value) -> Value:
    apigateway.put_method(
        restApiId=value["rest_api_id"], resourceId=value["resource_id"], httpMethod=value["http_method"],
        authorizationType=value["authorization"],
    )  # fmt: skip
    return {}


def _make_rest_integration(apigateway: Any, value: Value) -> Value:
    apigateway.put_integration(
        restApiId=value["rest_api_id"], resourceId=value["resource_id"], httpMethod=value["http_method"],
        type=value["type"], integrationHttpMethod=value["integration_http_method"], uri=value["uri"],
    )  # fmt: skip
    return {}


def _of_method(value: Value) -> dict[str, str]:
    return {"restApiId": value["rest_api_id"], "resourceId": value["resource_id"], "httpMethod": value["http_method"]}


def _of_role_policy(value: Value) -> dict[str, str]:
    return {"RoleName": value["role"], "PolicyName": value["name"]}


def _of_alias(value: Value) -> dict[str, str]:
    return {"FunctionName": value["function_name"], "Name": value["name"]}


KINDS: dict[str, Kind] = {
    "aws_api_gateway_deployment": Kind(
        "apigateway",
        lambda c, v: {"id": c.create_deployment(restApiId=v["rest_api_id"])["id"]},
        lambda c, v: c.get_deployment(restApiId=v["rest_api_id"], deploymentId=v["id"]),
        lambda c, v: c.delete_deployment(restApiId=v["rest_api_id"], deploymentId=v["id"]),
        changes_by_making=False,
    ),
    "aws_api_gateway_integration": Kind(
        "apigateway",
        _make_rest_integration,
        lambda c, v: c.get_integration(**_of_method(v)),
        lambda c, v: c.delete_integration(**_of_method(v)),
    ),
    "aws_api_gateway_method": Kind(
        "apigateway",
        _make_method,
        lambda c, v: c.get_method(**_of_method(v)),
        lambda c, v: c.delete_method(**_of_method(v)),
    ),
    "aws_api_gateway_resource": Kind(
        "apigateway",
        lambda c, v: {
            "id": c.create_resource(restApiId=v["rest_api_id"], parentId=v["parent_id"], pathPart=v["path_part"])["id"]
        },
        lambda c, v: c.get_resource(restApiId=v["rest_api_id"], resourceId=v["id"]),
        lambda c, v: c.delete_resource(restApiId=v["rest_api_id"], resourceId=v["id"]),
        changes_by_making=False,
    ),
    "aws_api_gateway_rest_api": Kind(
        "apigateway",
        _make_rest_api,
        lambda c, v: c.get_rest_api(restApiId=v["id"]),
        lambda c, v: c.delete_rest_api(restApiId=v["id"]),
        changes_by_making=False,
    ),
    "aws_api_gateway_stage": Kind(
        "apigateway",
        lambda c, v: (
            c.create_stage(restApiId=v["rest_api_id"], stageName=v["stage_name"], deploymentId=v["deployment_id"])
            and {}
        ),
        lambda c, v: c.get_stage(restApiId=v["rest_api_id"], stageName=v["stage_name"]),
        lambda c, v: c.delete_stage(restApiId=v["rest_api_id"], stageName=v["stage_name"]),
        changes_by_making=False,
    ),
    "aws_apigatewayv2_api": Kind(
        "apigatewayv2",
        _make_http_api,
        lambda c, v: c.get_api(ApiId=v["id"]),
        lambda c, v: c.delete_api(ApiId=v["id"]),
        changes_by_making=False,
    ),
    "aws_apigatewayv2_integration": Kind(
        "apigatewayv2",
        lambda c, v: {
            "id": c.create_integration(
                ApiId=v["api_id"],
                IntegrationType=v["integration_type"],
                IntegrationUri=v["integration_uri"],
                PayloadFormatVersion=v["payload_format_version"],
            )["IntegrationId"]
        },
        lambda c, v: c.get_integration(ApiId=v["api_id"], IntegrationId=v["id"]),
        lambda c, v: c.delete_integration(ApiId=v["api_id"], IntegrationId=v["id"]),
        changes_by_making=False,
    ),
    "aws_apigatewayv2_route": Kind(
        "apigatewayv2",
        lambda c, v: {
            "id": c.create_route(
                ApiId=v["api_id"],
                RouteKey=v["route_key"],
                Target=v["target"],
                AuthorizationType=v["authorization_type"],
            )["RouteId"]
        },
        lambda c, v: c.get_route(ApiId=v["api_id"], RouteId=v["id"]),
        lambda c, v: c.delete_route(ApiId=v["api_id"], RouteId=v["id"]),
        changes_by_making=False,
    ),
    "aws_cloudwatch_dashboard": Kind(
        "cloudwatch",
        lambda c, v: c.put_dashboard(DashboardName=v["dashboard_name"], DashboardBody=v["dashboard_body"]) and {},
        lambda c, v: c.get_dashboard(DashboardName=v["dashboard_name"]),
        lambda c, v: c.delete_dashboards(DashboardNames=[v["dashboard_name"]]),
    ),
    "aws_cloudwatch_log_group": Kind(
        "logs",
        _make_log_group,
        _log_group,
        lambda c, v: c.delete_log_group(logGroupName=v["name"]),
        changes_by_making=False,
    ),
    "aws_cloudwatch_metric_alarm": Kind(
        "cloudwatch", _make_alarm, _alarm, lambda c, v: c.delete_alarms(AlarmNames=[v["alarm_name"]])
    ),
    "aws_iam_policy": Kind(
        "iam",
        _make_policy,
        lambda c, v: c.get_policy(PolicyArn=v["arn"]),
        lambda c, v: c.delete_policy(PolicyArn=v["arn"]),
        changes_by_making=False,
    ),
    "aws_iam_role": Kind(
        "iam",
        _make_role,
        lambda c, v: c.get_role(RoleName=v["name"]),
        lambda c, v: c.delete_role(RoleName=v["name"]),
        changes_by_making=False,
    ),
    "aws_iam_role_policy": Kind(
        "iam",
        lambda c, v: c.put_role_policy(**_of_role_policy(v), PolicyDocument=v["policy"]) and {},
        lambda c, v: c.get_role_policy(**_of_role_policy(v)),
        lambda c, v: c.delete_role_policy(**_of_role_policy(v)),
    ),
    "aws_kms_alias": Kind(
        "kms",
        lambda c, v: c.create_alias(AliasName=v["name"], TargetKeyId=v["target_key_id"]) and {"id": v["name"]},
        lambda c, v: c.describe_key(KeyId=v["name"]),
        lambda c, v: c.delete_alias(AliasName=v["name"]),
        changes_by_making=False,
    ),
    "aws_kms_key": Kind(
        "kms",
        _make_key,
        lambda c, v: c.describe_key(KeyId=v["key_id"]),
        lambda c, v: c.schedule_key_deletion(
            KeyId=v["key_id"], PendingWindowInDays=int(v.get("deletion_window_in_days") or 30)
        ),
        changes_by_making=False,
    ),
    "aws_lambda_alias": Kind(
        "lambda",
        _make_alias,
        lambda c, v: c.get_alias(**_of_alias(v)),
        lambda c, v: c.delete_alias(**_of_alias(v)),
        changes_by_making=False,
    ),
    "aws_lambda_event_source_mapping": Kind(
        "lambda",
        _make_mapping,
        lambda c, v: c.get_event_source_mapping(UUID=v["uuid"]),
        lambda c, v: c.delete_event_source_mapping(UUID=v["uuid"]),
        changes_by_making=False,
    ),
    "aws_lambda_function": Kind(
        "lambda",
        _make_function,
        lambda c, v: c.get_function(FunctionName=v["function_name"]),
        lambda c, v: c.delete_function(FunctionName=v["function_name"]),
        changes_by_making=False,
    ),
    "aws_lambda_permission": Kind(
        "lambda",
        _make_permission,
        lambda c, v: c.get_policy(**_given(FunctionName=v["function_name"], Qualifier=v.get("qualifier"))),
        lambda c, v: c.remove_permission(
            **_given(FunctionName=v["function_name"], StatementId=v["statement_id"], Qualifier=v.get("qualifier"))
        ),
        changes_by_making=False,
    ),
    "aws_s3_bucket": Kind(
        "s3",
        _make_bucket,
        lambda c, v: c.head_bucket(Bucket=v["bucket"]),
        lambda c, v: c.delete_bucket(Bucket=v["bucket"]),
        changes_by_making=False,
    ),
    "aws_s3_bucket_lifecycle_configuration": _bucket_setting(
        _expire_in_bucket, "get_bucket_lifecycle_configuration", "delete_bucket_lifecycle"
    ),
    "aws_s3_bucket_policy": _bucket_setting(
        lambda c, v: c.put_bucket_policy(Bucket=v["bucket"], Policy=v["policy"]),
        "get_bucket_policy",
        "delete_bucket_policy",
    ),
    "aws_s3_bucket_public_access_block": _bucket_setting(
        _close_bucket, "get_public_access_block", "delete_public_access_block"
    ),
    "aws_s3_bucket_server_side_encryption_configuration": _bucket_setting(
        _encrypt_bucket, "get_bucket_encryption", "delete_bucket_encryption"
    ),
    "aws_s3_bucket_versioning": _bucket_setting(
        lambda c, v: c.put_bucket_versioning(
            Bucket=v["bucket"],
            VersioningConfiguration={"Status": _first(v, "versioning_configuration")["status"]},
        ),
        "get_bucket_versioning",
        None,
    ),
    "aws_secretsmanager_secret": Kind(
        "secretsmanager",
        _make_secret,
        lambda c, v: c.describe_secret(SecretId=v["arn"]),
        lambda c, v: c.delete_secret(SecretId=v["arn"], ForceDeleteWithoutRecovery=True),
        changes_by_making=False,
    ),
    "aws_sns_topic": Kind(
        "sns",
        _make_topic,
        lambda c, v: c.get_topic_attributes(TopicArn=v["arn"]),
        lambda c, v: c.delete_topic(TopicArn=v["arn"]),
    ),
    "aws_sns_topic_subscription": Kind(
        "sns",
        lambda c, v: {
            "arn": c.subscribe(
                TopicArn=v["topic_arn"], Protocol=v["protocol"], Endpoint=v["endpoint"], ReturnSubscriptionArn=True
            )["SubscriptionArn"]
        },
        lambda c, v: c.get_subscription_attributes(SubscriptionArn=v["arn"]),
        lambda c, v: c.unsubscribe(SubscriptionArn=v["arn"]),
        changes_by_making=False,
    ),
    "aws_sqs_queue": Kind(
        "sqs",
        _make_queue,
        lambda c, v: c.get_queue_attributes(QueueUrl=v["url"], AttributeNames=["QueueArn"]),
        lambda c, v: c.delete_queue(QueueUrl=v["url"]),
        changes_by_making=False,
    ),
    "aws_sqs_queue_policy": _queue_attribute("Policy", "policy"),
}


class AwsBackend:
    """The AWS at a URL. The provider's own configuration says the region; its credentials nobody checks."""

    region = "eu-central-1"

    def __init__(self, url: str) -> None:
        self.url = url

    def knows(self, kind: str) -> bool:
        return kind in KINDS

    def configure(self, config: Mapping[str, Any]) -> None:
        self.region = config.get("region") or self.region

    def create(self, kind: str, value: Value) -> Value:
        returned = self._call(kind, KINDS[kind].make, value)
        return returned if isinstance(returned, dict) and "ResponseMetadata" not in returned else {}

    def update(self, kind: str, value: Value) -> None:
        if not KINDS[kind].changes_by_making:
            raise Refused(f"the stand-in makes and removes {kind}, and cannot change it")
        self._call(kind, KINDS[kind].make, value)

    def delete(self, kind: str, state: Value) -> None:
        self._call(kind, KINDS[kind].remove, state)

    def exists(self, kind: str, state: Value) -> bool:
        try:
            KINDS[kind].look_up(_client(KINDS[kind].service, self.region, self.url), state)
        except (ClientError, LookupError):
            return False
        return True

    def _call(self, kind: str, call: Call, value: Value) -> Any:
        try:
            return call(_client(KINDS[kind].service, self.region, self.url), value)
        except (ClientError, BotoCoreError) as error:
            raise Refused(f"AWS says to {kind}: {error}") from None


@cache
def _client(service: str, region: str, url: str) -> Any:
    return boto3.client(
        service, region_name=region, endpoint_url=url, aws_access_key_id="testing", aws_secret_access_key="testing",
        config=Config(retries={"max_attempts": 1}),
    )  # fmt: skip
