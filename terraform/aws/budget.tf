resource "aws_budgets_budget" "monthly" {
  name         = local.prefix
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_unit   = "USD"
  limit_amount = tostring(var.monthly_budget_usd)

  dynamic "cost_filter" {
    for_each = var.budget_by_tags ? [var.name] : []
    content {
      name   = "TagKeyValue"
      values = [format("user:project$%s", cost_filter.value)]
    }
  }

  # a budget without an address notifies nobody
  dynamic "notification" {
    for_each = length(var.alarm_emails) == 0 ? {} : { ACTUAL = 80, FORECASTED = 100 }
    content {
      notification_type          = notification.key
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
      comparison_operator        = "GREATER_THAN"
      subscriber_email_addresses = var.alarm_emails
    }
  }

  tags = local.tags
}
