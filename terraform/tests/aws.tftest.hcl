# The rules of the AWS module, on a provider that is made up: no account and no network are needed.

mock_provider "aws" {
  # names as AWS gives them, which the real provider would look at
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mocked" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::mocked" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = {
      arn = "arn:aws:sqs:eu-central-1:123456789012:mocked"
      url = "https://sqs.eu-central-1.amazonaws.com/123456789012/mocked"
    }
  }
  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:mocked" }
  }
  mock_resource "aws_ecs_cluster" {
    defaults = { arn = "arn:aws:ecs:eu-central-1:123456789012:cluster/mocked" }
  }
  mock_resource "aws_ecs_task_definition" {
    defaults = {
      arn                  = "arn:aws:ecs:eu-central-1:123456789012:task-definition/mocked:1"
      arn_without_revision = "arn:aws:ecs:eu-central-1:123456789012:task-definition/mocked"
    }
  }
  mock_resource "aws_ecr_repository" {
    defaults = {
      arn            = "arn:aws:ecr:eu-central-1:123456789012:repository/mocked"
      repository_url = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/mocked"
    }
  }
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::123456789012:oidc-provider/api.prefect.cloud/oidc-provider" }
  }
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/mocked" }
  }
  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:eu-central-1:123456789012:rule/mocked" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:mocked" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:mocked" }
  }
  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:mocked", version = "1" }
  }
  mock_resource "aws_lambda_alias" {
    defaults = {
      arn        = "arn:aws:lambda:eu-central-1:123456789012:function:mocked:live"
      invoke_arn = "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-central-1:123456789012:function:mocked:live/invocations"
    }
  }
  mock_resource "aws_apigatewayv2_api" {
    defaults = {
      api_endpoint  = "https://tools.execute-api.eu-central-1.amazonaws.com"
      execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:tools"
    }
  }
  mock_resource "aws_api_gateway_rest_api" {
    defaults = {
      id            = "rest"
      execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:rest"
    }
  }
}

variables {
  name        = "rfm-churn"
  environment = "dev"
  region      = "eu-central-1"
  account_id  = "123456789012"
  runs        = { on = "machine" }
  packages    = { churn_api = "tests/package.zip", prediction_sink = "tests/package.zip" }
  snowflake_principal = {
    user_arn    = "arn:aws:iam::999999999999:user/snowflake"
    external_id = "EXAMPLE_SFCRole=1_external"
  }
  snowflake_settings = {
    account   = "organisation-account"
    user      = "RFM_CHURN_DEV_SCORER"
    role      = "RFM_CHURN_DEV_SCORER"
    warehouse = "RFM_CHURN_DEV_LOAD"
    database  = "SHOP_DEV"
  }
  alarm_emails       = ["oncall@example.com"]
  monthly_budget_usd = 50
}

run "policies_name_actions_and_resources" {
  module {
    source = "./aws"
  }

  # of what is allowed: a service's every action, or every resource, or everybody
  assert {
    condition = alltrue(flatten([
      for policy in [
        aws_iam_role_policy.churn_api.policy, aws_iam_role_policy.prediction_sink.policy, aws_iam_role_policy.snowflake[0].policy,
        aws_iam_policy.models.policy, aws_sns_topic_policy.alarms.policy, aws_s3_bucket_policy.models.policy,
        aws_api_gateway_rest_api_policy.snowflake.policy, aws_sqs_queue_policy.nothing_in_clear["predictions"].policy,
        aws_sqs_queue_policy.nothing_in_clear["dead_letters"].policy,
      ] :
      [
        for statement in jsondecode(policy).Statement :
        statement.Effect == "Deny" || (
          alltrue([for action in flatten([statement.Action]) : !strcontains(action, "*")])
          && alltrue([for resource in flatten([statement.Resource]) : resource != "*"])
          && try(statement.Principal, "nobody") != "*"
        )
      ]
    ]))
    error_message = "A policy allows all actions of a service, or all resources, or everybody."
  }

  assert {
    condition = { for statement in jsondecode(aws_kms_key.main.policy).Statement : jsonencode(statement.Principal) => join(" ", flatten([statement.Action])) } == {
      "{\"AWS\":\"arn:aws:iam::123456789012:root\"}"      = "kms:*"
      "{\"Service\":\"cloudwatch.amazonaws.com\"}"        = "kms:Decrypt kms:GenerateDataKey"
      "{\"Service\":\"logs.eu-central-1.amazonaws.com\"}" = "kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext kms:ReEncryptFrom kms:ReEncryptTo"
    }
    error_message = "The key may be used by others than the account, log groups and alarms, or for more."
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.churn_api.policy).Statement : statement.Action if strcontains(jsonencode(statement.Action), "sqs:")
    ] == ["sqs:SendMessage"]
    error_message = "The API is to send to its queue, and nothing else."
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.churn_api.policy).Statement : statement.Action if strcontains(jsonencode(statement.Action), "s3:")
    ] == ["s3:ListBucket", "s3:GetObject"] && aws_lambda_function.all["churn_api"].environment[0].variables.MODELS == "s3://${aws_s3_bucket.models.bucket}/models"
    error_message = "The API is to read the store of models, and to change nothing in it."
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.prediction_sink.policy, "sqs:SendMessage") && !strcontains(aws_iam_role_policy.prediction_sink.policy, "s3:")
    error_message = "The sink is to receive, and nothing else."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_policy.models.policy).Statement :
      !strcontains(jsonencode(statement.Action), "s3:DeleteObject") || endswith(statement.Resource, ".draft") || endswith(statement.Resource, "/outputs/*")
    ])
    error_message = "The flows can delete models."
  }
}

run "snowflake_is_trusted_by_its_id_and_calls_one_method" {
  module {
    source = "./aws"
  }

  assert {
    condition = jsondecode(aws_iam_role.snowflake[0].assume_role_policy).Statement == [{
      Sid       = "SnowflakesUserWithOurIntegration"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::999999999999:user/snowflake" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "sts:ExternalId" = "EXAMPLE_SFCRole=1_external" } }
    }]
    error_message = "The role trusts others than Snowflake's user, or without the external id."
  }

  assert {
    condition     = aws_api_gateway_method.snowflake.authorization == "AWS_IAM" && jsondecode(aws_iam_role_policy.snowflake[0].policy).Statement[0].Resource == "arn:aws:execute-api:eu-central-1:123456789012:rest/dev/POST/snowflake"
    error_message = "Snowflake's role may call more than POST /snowflake, or others may call without a signature."
  }

  assert {
    condition     = output.snowflake_role_arn == "arn:aws:iam::123456789012:role/${aws_iam_role.snowflake[0].name}" && aws_lambda_function.all["churn_api"].environment[0].variables.TRUSTED_ROLE_ARNS == output.snowflake_role_arn
    error_message = "The role that is announced, the one that is made and the one that the API trusts are not the same."
  }

  assert {
    condition     = output.snowflake_api_url == "https://rest.execute-api.eu-central-1.amazonaws.com/dev"
    error_message = "Snowflake is told another address than the stage's."
  }
}

run "what_is_kept_is_encrypted_and_private" {
  module {
    source = "./aws"
  }

  assert {
    condition = (
      one(one(aws_s3_bucket_server_side_encryption_configuration.models.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms"
      && aws_s3_bucket_versioning.models.versioning_configuration[0].status == "Enabled"
      && aws_s3_bucket_public_access_block.models.block_public_acls && aws_s3_bucket_public_access_block.models.block_public_policy
      && aws_s3_bucket_public_access_block.models.ignore_public_acls && aws_s3_bucket_public_access_block.models.restrict_public_buckets
      && aws_s3_bucket_ownership_controls.models.rule[0].object_ownership == "BucketOwnerEnforced"
    )
    error_message = "The bucket of models is to be encrypted, versioned and private."
  }

  assert {
    condition     = aws_sqs_queue.predictions.sqs_managed_sse_enabled && aws_sqs_queue.dead_letters.sqs_managed_sse_enabled
    error_message = "A queue is not encrypted."
  }

  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.all : secret.kms_key_id == aws_kms_key.main.arn]) && aws_sns_topic.alarms.kms_master_key_id == aws_kms_key.main.arn && aws_kms_key.main.enable_key_rotation
    error_message = "A secret or the topic is not encrypted by our key, or the key is not rotated."
  }

  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.all : group.retention_in_days == 30 && group.kms_key_id == aws_kms_key.main.arn])
    error_message = "A log group is kept for ever, or is not encrypted."
  }

  assert {
    condition = alltrue(flatten([
      for policy in [aws_s3_bucket_policy.models.policy, aws_sqs_queue_policy.nothing_in_clear["predictions"].policy, aws_sqs_queue_policy.nothing_in_clear["dead_letters"].policy] :
      [for statement in jsondecode(policy).Statement : statement.Effect == "Deny" && statement.Condition.Bool["aws:SecureTransport"] == "false"]
    ]))
    error_message = "The bucket or a queue can be reached without TLS."
  }
}

run "nothing_is_lost_on_the_way" {
  module {
    source = "./aws"
  }

  variables {
    sink_every_hours = 0
  }

  assert {
    condition     = aws_lambda_event_source_mapping.predictions[0].function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "One bad message would bring all others of its batch back."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.predictions.redrive_policy).maxReceiveCount >= 5 && aws_sqs_queue.dead_letters.message_retention_seconds == 1209600 && aws_sqs_queue.predictions.message_retention_seconds == 1209600
    error_message = "Messages need five tries, a queue of dead letters, and the longest time there is."
  }

  assert {
    condition     = aws_sqs_queue.predictions.visibility_timeout_seconds >= 6 * aws_lambda_function.all["prediction_sink"].timeout + aws_lambda_event_source_mapping.predictions[0].maximum_batching_window_in_seconds
    error_message = "A message that is being merged would come again."
  }

  assert {
    condition     = aws_lambda_function.all["prediction_sink"].reserved_concurrent_executions == -1 || aws_lambda_event_source_mapping.predictions[0].scaling_config[0].maximum_concurrency <= aws_lambda_function.all["prediction_sink"].reserved_concurrent_executions
    error_message = "The queue would ask for more copies of the sink than may run, and messages would be counted as failed."
  }
}

run "functions_run_behind_an_alias_within_limits" {
  module {
    source = "./aws"
  }

  assert {
    condition     = alltrue([for function in aws_lambda_function.all : function.publish && function.architectures == tolist(["x86_64"])])
    error_message = "A function has no version, or another architecture."
  }

  assert {
    condition     = aws_apigatewayv2_integration.churn_api.integration_uri == aws_lambda_alias.live["churn_api"].invoke_arn && aws_api_gateway_integration.snowflake.uri == aws_lambda_alias.live["churn_api"].invoke_arn
    error_message = "A gateway goes past the alias."
  }

  assert {
    condition     = aws_lambda_function.all["churn_api"].timeout >= 15 && aws_lambda_function.all["churn_api"].timeout < 30
    error_message = "The API needs 15 s or more, and a gateway gives up after 30."
  }

  assert {
    condition     = aws_apigatewayv2_stage.default.name == "$default" && aws_apigatewayv2_stage.default.default_route_settings[0].throttling_rate_limit == 50 && aws_api_gateway_method_settings.snowflake.settings[0].throttling_burst_limit == 100
    error_message = "A gateway does not throttle, or its stage would stand in the path."
  }

  assert {
    condition     = alltrue([for route in ["POST /predict", "POST /v1/predict", "POST /v1/predict/columns", "GET /v1/model", "HEAD /health", "GET /docs/{asset}"] : contains(keys(aws_apigatewayv2_route.all), route)])
    error_message = "A route for tools is missing."
  }

  assert {
    condition     = alltrue([for route in keys(aws_apigatewayv2_route.all) : !can(regex("snowflake|metrics|jobs|proxy", route))])
    error_message = "The HTTP API has other routes than those for tools."
  }
}

run "somebody_is_told" {
  module {
    source = "./aws"
  }

  assert {
    condition = length(setsubtract([
      "churn-api-errors", "churn-api-throttles", "prediction-sink-errors", "prediction-sink-throttles", "http-api-5xx",
      "snowflake-api-5xx", "oldest-message", "dead-letters", "not-stored",
    ], keys(aws_cloudwatch_metric_alarm.all))) == 0
    error_message = "An alarm is missing."
  }

  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.all), aws_cloudwatch_metric_alarm.no_predictions) :
      contains(alarm.alarm_actions, aws_sns_topic.alarms.arn) && startswith(alarm.alarm_name, "rfm-churn-dev-")
    ])
    error_message = "An alarm tells nobody, or has a name that the topic's policy does not know."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.no_predictions[0].treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.no_predictions[0].comparison_operator == "LessThanThreshold"
    error_message = "Silence must raise an alarm."
  }

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.main.dashboard_body).widgets) == 8 && aws_budgets_budget.monthly.limit_amount == "50" && length(aws_budgets_budget.monthly.notification) == 2
    error_message = "The dashboard or the budget is not complete."
  }
}

run "no_secret_is_anywhere" {
  module {
    source = "./aws"
  }

  assert {
    condition     = toset(keys(aws_lambda_function.all["prediction_sink"].environment[0].variables)) == toset(["SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER", "SNOWFLAKE_ROLE", "SNOWFLAKE_WAREHOUSE", "SNOWFLAKE_DATABASE", "SNOWFLAKE_PRIVATE_KEY_SECRET", "LOG_LEVEL", "QUEUE_URL"])
    error_message = "The sink has a variable too many, or too few."
  }

  assert {
    condition     = aws_lambda_function.all["prediction_sink"].environment[0].variables.SNOWFLAKE_PRIVATE_KEY_SECRET == aws_secretsmanager_secret.all["snowflake_private_key"].arn && aws_lambda_function.all["churn_api"].environment[0].variables.API_KEYS_SECRET == aws_secretsmanager_secret.all["api_keys"].arn
    error_message = "A function is not told by reference where its secret is."
  }
}

run "secrets_that_are_there_are_used" {
  module {
    source = "./aws"
  }

  variables {
    existing_secrets = { api_keys = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:theirs" }
  }

  assert {
    condition     = keys(aws_secretsmanager_secret.all) == ["snowflake_private_key"] && output.secrets.api_keys == "arn:aws:secretsmanager:eu-central-1:123456789012:secret:theirs" && strcontains(aws_iam_role_policy.churn_api.policy, "secret:theirs")
    error_message = "A secret was made although there is one, or the API may not read it."
  }
}

run "cold_starts_can_be_bought_off" {
  command = plan

  module {
    source = "./aws"
  }

  variables {
    startup = "snapstart"
  }

  assert {
    condition     = aws_lambda_function.all["churn_api"].snap_start[0].apply_on == "PublishedVersions" && length(aws_lambda_function.all["prediction_sink"].snap_start) == 0 && length(aws_lambda_provisioned_concurrency_config.churn_api) == 0
    error_message = "SnapStart is to be on for the API alone, and without provisioned concurrency."
  }
}

run "copies_can_be_kept_on" {
  command = plan

  module {
    source = "./aws"
  }

  variables {
    startup                 = "provisioned"
    provisioned_concurrency = 2
  }

  assert {
    condition     = aws_lambda_provisioned_concurrency_config.churn_api[0].provisioned_concurrent_executions == 2 && aws_lambda_provisioned_concurrency_config.churn_api[0].qualifier == "live"
    error_message = "Two copies are to be kept on, of the alias."
  }
}

run "a_jwt_can_be_asked_for" {
  command = plan

  module {
    source = "./aws"
  }

  variables {
    jwt = { issuer = "https://login.example.com/", audience = ["churn"] }
  }

  assert {
    condition     = alltrue([for key, route in aws_apigatewayv2_route.all : route.authorization_type == (can(regex("/(predict|predict/columns|model)$", key)) ? "JWT" : "NONE")])
    error_message = "Predictions and the model are to be behind the JWT, the others open."
  }
}

run "without_snowflakes_call_there_is_no_role_for_it" {
  command = plan

  module {
    source = "./aws"
  }

  variables {
    snowflake_principal = null
    scoring_is_external = false
  }

  assert {
    condition     = length(aws_iam_role.snowflake) == 0 && length(aws_cloudwatch_metric_alarm.no_predictions) == 0
    error_message = "Nobody calls, so nobody is to be trusted, and silence is right."
  }
}

run "prod_keeps_its_data" {
  command = plan

  module {
    source = "./aws"
  }

  variables {
    environment = "prod"
  }

  assert {
    condition     = toset(keys(terraform_data.production_data)) == toset(["models", "predictions", "dead_letters", "key"]) && !aws_s3_bucket.models.force_destroy
    error_message = "Something in prod that holds data can be destroyed by mistake."
  }

  assert {
    condition     = aws_kms_key.main.deletion_window_in_days == 30 && alltrue([for secret in aws_secretsmanager_secret.all : secret.recovery_window_in_days == 30])
    error_message = "Keys and secrets of prod are to wait for 30 days before they are gone."
  }
}

run "dev_can_be_thrown_away" {
  command = plan

  module {
    source = "./aws"
  }

  assert {
    condition     = length(terraform_data.production_data) == 0 && aws_s3_bucket.models.force_destroy && alltrue([for secret in aws_secretsmanager_secret.all : secret.recovery_window_in_days == 0])
    error_message = "Dev is to be destroyed by one command, and made again by the next."
  }
}

run "bad_input_is_refused" {
  command = plan

  module {
    source = "./aws"
  }

  variables {
    name                      = "RFM"
    environment               = "staging"
    region                    = "Frankfurt"
    account_id                = "1234"
    packages                  = { churn_api = "nowhere.zip", prediction_sink = "nowhere.zip" }
    python_runtime            = "python2.7"
    memory_mb                 = { churn_api = 64 }
    reserved_concurrency      = 0
    sink_concurrency          = 1
    sink_every_hours          = 5
    startup                   = "fast"
    throttle                  = { rate = 0, burst = 0 }
    jwt                       = { issuer = "login.example.com", audience = [] }
    existing_secrets          = { api_keys = "a secret itself" }
    existing_secrets_kms_key  = "alias/ours"
    snowflake_principal       = { user_arn = "snowflake", external_id = "" }
    snowflake_settings        = { account = "", user = "u", role = "ACCOUNTADMIN", warehouse = "w", database = "d" }
    shop_time_zone            = "CET+1"
    when_not_stored           = "shrug"
    log_level                 = "ERROR"
    log_retention_days        = 0
    monthly_budget_usd        = 0
    hours_without_predictions = 0
  }

  expect_failures = [
    var.name, var.environment, var.region, var.account_id, var.packages, var.python_runtime, var.memory_mb,
    var.reserved_concurrency, var.sink_concurrency, var.sink_every_hours, var.startup, var.throttle, var.jwt,
    var.existing_secrets, var.existing_secrets_kms_key, var.snowflake_principal, var.snowflake_settings,
    var.shop_time_zone, var.when_not_stored, var.log_level, var.log_retention_days, var.monthly_budget_usd,
    var.hours_without_predictions,
  ]
}

run "prod_must_tell_somebody" {
  command = plan

  module {
    source = "./aws"
  }

  variables {
    environment             = "prod"
    alarm_emails            = []
    architecture            = "sparc"
    reserved_concurrency    = 20
    provisioned_concurrency = 50
  }

  expect_failures = [var.alarm_emails, var.architecture, var.provisioned_concurrency]
}

run "a_machine_of_ones_own_needs_no_role_here" {
  command = plan

  module {
    source = "./aws"
  }

  assert {
    condition     = length(aws_iam_role.runs) == 0 && length(aws_iam_openid_connect_provider.prefect) == 0 && length(aws_ecs_cluster.runs) == 0
    error_message = "Nobody but the machine's own role is to read models."
  }
}

run "prefects_machines_take_on_a_role_of_this_workspace_alone" {
  command = apply

  module {
    source = "./aws"
  }

  variables {
    runs = { on = "managed", prefect_account_id = "account-1", prefect_workspace_id = "workspace-1" }
  }

  assert {
    condition = jsondecode(aws_iam_role.runs[0].assume_role_policy).Statement[0].Condition.StringEquals == {
      "api.prefect.cloud/oidc-provider:aud"          = "prefect-cloud"
      "api.prefect.cloud/oidc-provider:sub"          = "prefect:account:account-1"
      "api.prefect.cloud/oidc-provider:workspace_id" = "workspace-1"
    }
    error_message = "Anybody's Prefect account could take the role on."
  }

  assert {
    condition     = length(aws_ecs_cluster.runs) == 0 && output.runs_on_ecs == null
    error_message = "Prefect's machines need nothing of ours but the role."
  }
}

run "runs_on_fargate_are_as_big_as_the_shop_and_prefect_may_start_them_alone" {
  command = apply

  module {
    source = "./aws"
  }

  variables {
    runs = {
      on                   = "ecs"
      prefect_account_id   = "account-1"
      prefect_workspace_id = "workspace-1"
      customers            = 500000
      image_tag            = "0123456789abcdef0123456789abcdef01234567"
      vpc_id               = "vpc-1"
      subnet_ids           = ["subnet-1"]
    }
  }

  assert {
    condition     = aws_ecs_task_definition.runs[0].cpu == "2048" && aws_ecs_task_definition.runs[0].memory == "8192"
    error_message = "A run of half a million customers takes 2 to 4 GB; twice as much is to be there."
  }

  assert {
    condition     = endswith(jsondecode(aws_ecs_task_definition.runs[0].container_definitions)[0].image, ":0123456789abcdef0123456789abcdef01234567")
    error_message = "The image is to be that of one commit."
  }

  assert {
    condition     = jsondecode(aws_iam_role.runs[0].assume_role_policy).Statement[0].Principal == { Service = "ecs-tasks.amazonaws.com" }
    error_message = "The runs' role is the tasks' alone."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.push[0].policy).Statement :
      !strcontains(jsonencode(statement.Action), "*") && (statement.Resource != "*" || statement.Action == "ecs:DescribeTaskDefinition")
    ])
    error_message = "Prefect Cloud may start, watch and stop these tasks, and nothing else."
  }

  assert {
    condition     = length(aws_security_group.runs[0].ingress) == 0
    error_message = "Nothing comes in."
  }
}

run "a_size_that_fargate_does_not_have_is_refused" {
  command = plan

  module {
    source = "./aws"
  }

  variables {
    runs = {
      on        = "ecs", prefect_account_id = "a", prefect_workspace_id = "w", cpu = 1024, memory_mb = 16384
      image_tag = "0123456789abcdef0123456789abcdef01234567", vpc_id = "vpc-1", subnet_ids = ["subnet-1"]
    }
  }

  expect_failures = [var.runs]
}

run "an_image_by_a_name_that_moves_is_refused" {
  command = plan

  module {
    source = "./aws"
  }

  variables {
    runs = {
      on = "ecs", prefect_account_id = "a", prefect_workspace_id = "w", image_tag = "latest", vpc_id = "vpc-1", subnet_ids = ["subnet-1"]
    }
  }

  expect_failures = [var.runs]
}

run "a_trickle_wakes_the_warehouse_a_few_times_a_day_and_survives_a_weeks_quota" {
  command = apply

  module {
    source = "./aws"
  }

  assert {
    condition     = length(aws_lambda_event_source_mapping.predictions) == 0 && aws_cloudwatch_event_rule.gather[0].schedule_expression == "rate(6 hours)"
    error_message = "Each message would wake Snowflake's warehouse for a minute."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.predictions.redrive_policy).maxReceiveCount * 6 >= 7 * 24
    error_message = "A warehouse that is suspended for the rest of a week must not turn predictions into dead letters."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.all["oldest-message"].threshold > 6 * 3600
    error_message = "The alarm would go off before the sink has had its turn."
  }

  assert {
    condition     = aws_sqs_queue.predictions.visibility_timeout_seconds >= 6 * aws_lambda_function.all["prediction_sink"].timeout
    error_message = "A message in work would be delivered again."
  }
}
