locals {
  environment_variables = {
    churn_api = {
      API_KEYS_SECRET   = local.secret_arns["api_keys"]
      QUEUE_URL         = aws_sqs_queue.predictions.url
      TRUSTED_ROLE_ARNS = var.snowflake_principal == null ? "" : local.snowflake_role_arn
      SHOP_TIME_ZONE    = var.shop_time_zone
      WHEN_NOT_STORED   = var.when_not_stored
      LOG_LEVEL         = var.log_level
      # the champion of this store is served; the package's own model only where it cannot be read
      MODELS = local.models_location
    }
    prediction_sink = {
      QUEUE_URL                    = aws_sqs_queue.predictions.url
      SNOWFLAKE_ACCOUNT            = var.snowflake_settings.account
      SNOWFLAKE_USER               = var.snowflake_settings.user
      SNOWFLAKE_ROLE               = var.snowflake_settings.role
      SNOWFLAKE_WAREHOUSE          = var.snowflake_settings.warehouse
      SNOWFLAKE_DATABASE           = var.snowflake_settings.database
      SNOWFLAKE_PRIVATE_KEY_SECRET = local.secret_arns["snowflake_private_key"]
      LOG_LEVEL                    = var.log_level
    }
  }
}

resource "aws_lambda_function" "all" {
  for_each = local.functions

  function_name = each.value.name
  description   = each.value.description
  role          = aws_iam_role.function[each.key].arn

  # some 35 MB: under the 50 MB that Lambda takes without a detour by S3
  filename         = var.packages[each.key]
  source_code_hash = filebase64sha256(var.packages[each.key])
  handler          = "functions.${each.key}.lambda_handler.handler"
  runtime          = var.python_runtime
  architectures    = [var.architecture]
  memory_size      = var.memory_mb[each.key]
  timeout          = each.value.timeout

  # each package is a version, and the alias points to the newest
  publish                        = true
  reserved_concurrent_executions = each.key == "churn_api" ? var.reserved_concurrency : (var.reserved_concurrency == -1 ? -1 : var.sink_concurrency)

  environment {
    variables = local.environment_variables[each.key]
  }

  dynamic "snap_start" {
    for_each = each.key == "churn_api" && var.startup == "snapstart" ? ["PublishedVersions"] : []
    content {
      apply_on = snap_start.value
    }
  }

  logging_config {
    # the functions write JSON themselves; CloudWatch finds metrics only in lines that are not wrapped
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.all[each.key].name
  }

  tags = local.tags

  # a function that starts before it may read its secret fails at once
  depends_on = [aws_iam_role_policy.churn_api, aws_iam_role_policy.prediction_sink]
}

# What callers call; to go back to an earlier package, point it to the version before
resource "aws_lambda_alias" "live" {
  for_each = local.functions

  name             = "live"
  description      = "The version that is called"
  function_name    = aws_lambda_function.all[each.key].function_name
  function_version = aws_lambda_function.all[each.key].version
}

resource "aws_lambda_provisioned_concurrency_config" "churn_api" {
  count = var.startup == "provisioned" ? 1 : 0

  function_name                     = aws_lambda_function.all["churn_api"].function_name
  qualifier                         = aws_lambda_alias.live["churn_api"].name
  provisioned_concurrent_executions = var.provisioned_concurrency
}
