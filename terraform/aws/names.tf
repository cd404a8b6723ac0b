locals {
  prefix = "${var.name}-${var.environment}"
  tags   = merge(var.tags, { project = var.name, environment = var.environment, managed_by = "terraform" })

  # Known before the role is there: Snowflake's integration names it first, and the role then trusts that integration
  snowflake_role_name = "${local.prefix}-snowflake"
  snowflake_role_arn  = "arn:aws:iam::${var.account_id}:role/${local.snowflake_role_name}"

  functions = {
    churn_api = {
      name        = "${local.prefix}-churn-api"
      description = "Churn predictions for tools and for Snowflake"
      # under the 30 s after which a gateway gives up, so that the reason is in our log
      timeout = 25
    }
    prediction_sink = {
      name        = "${local.prefix}-prediction-sink"
      description = "Merges predictions from the queue into marts.churn_predictions"
      # some 30 s for a warehouse to wake up and for the connector's own retries, and time for merges of what has gathered
      timeout = var.sink_every_hours == 0 ? 120 : 600
    }
  }
}
