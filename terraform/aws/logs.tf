locals {
  log_groups = {
    churn_api       = "/aws/lambda/${local.functions.churn_api.name}"
    prediction_sink = "/aws/lambda/${local.functions.prediction_sink.name}"
    # under this name API Gateway need not be added to the account's log policy, which has room for few
    http_api = "/aws/vendedlogs/${local.prefix}-http-api"
  }
}

# Before the functions, which would make theirs without retention
resource "aws_cloudwatch_log_group" "all" {
  for_each = local.log_groups

  name              = each.value
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.main.arn

  tags = local.tags
}
