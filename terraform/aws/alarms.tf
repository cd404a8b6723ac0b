resource "aws_sns_topic" "alarms" {
  name              = "${local.prefix}-alarms"
  kms_master_key_id = aws_kms_key.main.arn

  tags = local.tags
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AlarmsOfOurs"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.alarms.arn
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnLike      = { "aws:SourceArn" = "arn:aws:cloudwatch:${var.region}:${var.account_id}:alarm:${local.prefix}-*" }
      }
    }]
  })
}

resource "aws_sns_topic_subscription" "email" {
  for_each = toset(var.alarm_emails)

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.key
}

locals {
  five_minutes = 300

  function_alarms = {
    for pair in setproduct(keys(local.functions), ["Errors", "Throttles"]) : "${replace(pair[0], "_", "-")}-${lower(pair[1])}" => {
      description = "${pair[0]} has ${pair[1] == "Errors" ? "failed: see its log" : "been throttled: more calls at once than reserved_concurrency"}."
      namespace   = "AWS/Lambda"
      metric      = pair[1]
      dimensions  = { FunctionName = local.functions[pair[0]].name }
      statistic   = "Sum"
      threshold   = 0
      period      = local.five_minutes
      periods     = 1
      if_missing  = "notBreaching"
    }
  }

  alarms = merge(
    local.function_alarms,
    {
      http-api-5xx = {
        description = "Tools got errors that they did not cause."
        namespace   = "AWS/ApiGateway"
        metric      = "5xx"
        dimensions  = { ApiId = aws_apigatewayv2_api.tools.id }
        statistic   = "Sum"
        threshold   = 0
        period      = local.five_minutes
        periods     = 1
        if_missing  = "notBreaching"
      }
      snowflake-api-5xx = {
        description = "Snowflake got errors that it did not cause; it retries, and the build fails in the end."
        namespace   = "AWS/ApiGateway"
        metric      = "5XXError"
        dimensions  = { ApiName = aws_api_gateway_rest_api.snowflake.name, Stage = var.environment }
        statistic   = "Sum"
        threshold   = 0
        period      = local.five_minutes
        periods     = 1
        if_missing  = "notBreaching"
      }
      oldest-message = {
        description = "Predictions wait for longer than they should: is the sink failing, or Snowflake down, or does a message not fit?"
        namespace   = "AWS/SQS"
        metric      = "ApproximateAgeOfOldestMessage"
        dimensions  = { QueueName = aws_sqs_queue.predictions.name }
        statistic   = "Maximum"
        threshold   = var.sink_every_hours == 0 ? 1800 : (var.sink_every_hours + 1) * 3600
        period      = local.five_minutes
        periods     = 1
        if_missing  = "notBreaching"
      }
      dead-letters = {
        description = "Predictions could not be merged. Fix the cause (see the sink's log), then, with AWS_REGION set: make redrive QUEUE_URL=… DEAD_LETTER_QUEUE_URL=…"
        namespace   = "AWS/SQS"
        metric      = "ApproximateNumberOfMessagesVisible"
        dimensions  = { QueueName = aws_sqs_queue.dead_letters.name }
        statistic   = "Maximum"
        threshold   = 0
        period      = local.five_minutes
        periods     = 1
        if_missing  = "notBreaching"
      }
      not-stored = {
        description = "Tools got predictions that the queue did not accept: they are in no table."
        namespace   = "ChurnApi"
        metric      = "NotStored"
        dimensions  = { route = "/predict" }
        statistic   = "Sum"
        threshold   = 0
        period      = local.five_minutes
        periods     = 1
        if_missing  = "notBreaching"
      }
    },
  )
}

resource "aws_cloudwatch_metric_alarm" "all" {
  for_each = local.alarms

  alarm_name          = "${local.prefix}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  period              = each.value.period
  evaluation_periods  = each.value.periods
  treat_missing_data  = each.value.if_missing
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  tags = local.tags
}

# The only alarm that goes off when nothing happens: the daily run did not start, or scored no customer. A single
# request does not count: each run first requests the model's version with an example
resource "aws_cloudwatch_metric_alarm" "no_predictions" {
  count = var.scoring_is_external ? 1 : 0

  alarm_name          = "${local.prefix}-no-predictions"
  alarm_description   = "Snowflake has requested no prediction for ${var.hours_without_predictions} hours: did the daily run fail?"
  namespace           = "ChurnApi"
  metric_name         = "BatchSize"
  dimensions          = { route = "/snowflake" }
  statistic           = "Sum"
  comparison_operator = "LessThanThreshold"
  threshold           = 2
  period              = 3600
  evaluation_periods  = var.hours_without_predictions
  datapoints_to_alarm = var.hours_without_predictions
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  tags = local.tags
}
