# A prediction is here before the caller has it. Encrypted by SQS's own key: with one of ours, every cold start of the API
# would wait for KMS, and an outage of KMS would be one of the API.

resource "aws_sqs_queue" "predictions" {
  name                      = "${local.prefix}-predictions"
  sqs_managed_sse_enabled   = true
  message_retention_seconds = 1209600 # 14 days, the most there is
  receive_wait_time_seconds = 20

  # a message in work must not be delivered again: six times the sink's timeout and the batching window, as AWS advises
  visibility_timeout_seconds = 6 * local.functions.prediction_sink.timeout + local.sink_batching_seconds

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    # Snowflake may be away for over an hour, or, by the clock, as long as a week's used up quota suspends the warehouse;
    # the age of the oldest message raises an alarm before
    maxReceiveCount = var.sink_every_hours == 0 ? 5 : ceil(180 / var.sink_every_hours)
  })

  tags = local.tags
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${local.prefix}-dead-letters"
  sqs_managed_sse_enabled   = true
  message_retention_seconds = 1209600

  tags = local.tags
}

resource "aws_sqs_queue_redrive_allow_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.url

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.predictions.arn]
  })
}

resource "aws_sqs_queue_policy" "nothing_in_clear" {
  for_each = { predictions = aws_sqs_queue.predictions, dead_letters = aws_sqs_queue.dead_letters }

  queue_url = each.value.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      # a denial is for every principal and action; the roles of the functions say who may send and receive
      Sid       = "NothingInClear"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = each.value.arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

locals {
  sink_batching_seconds = 300 # the most there is
}

# As messages come (sink_every_hours = 0)
resource "aws_lambda_event_source_mapping" "predictions" {
  count = var.sink_every_hours == 0 ? 1 : 0

  event_source_arn = aws_sqs_queue.predictions.arn
  function_name    = aws_lambda_alias.live["prediction_sink"].arn

  # a message with a bad prediction must not return the others to the queue
  function_response_types = ["ReportBatchItemFailures"]

  # a message holds up to 200 KB; Lambda stops at 6 MB by itself
  batch_size                         = 100
  maximum_batching_window_in_seconds = local.sink_batching_seconds

  scaling_config {
    maximum_concurrency = var.sink_concurrency
  }

  tags = local.tags

  # Lambda checks whether the function may receive when the mapping is created
  depends_on = [aws_iam_role_policy.prediction_sink]
}

# By the clock: one call merges all that has gathered
resource "aws_cloudwatch_event_rule" "gather" {
  count = var.sink_every_hours == 0 ? 0 : 1

  name                = "${local.prefix}-gather"
  description         = "Merge the predictions that wait"
  schedule_expression = "rate(${var.sink_every_hours} ${var.sink_every_hours == 1 ? "hour" : "hours"})"

  tags = local.tags
}

resource "aws_cloudwatch_event_target" "gather" {
  count = var.sink_every_hours == 0 ? 0 : 1

  rule  = aws_cloudwatch_event_rule.gather[0].name
  arn   = aws_lambda_alias.live["prediction_sink"].arn
  input = jsonencode({ gather = true })
}

resource "aws_lambda_permission" "gather" {
  count = var.sink_every_hours == 0 ? 0 : 1

  statement_id  = "ByTheClock"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.all["prediction_sink"].function_name
  qualifier     = aws_lambda_alias.live["prediction_sink"].name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.gather[0].arn
}
