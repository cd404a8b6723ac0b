locals {
  # seconds; a session may ask for less, never for more. dbt's variable statement_timeout_seconds is 7,200
  statement_timeouts = { load = 3600, transform = 7200, sink = 600, report = 600 }
}

resource "snowflake_resource_monitor" "purpose" {
  for_each = local.warehouse_names

  name         = each.value
  credit_quota = var.credit_quotas[each.key]
  notify_users = var.notify_users

  # without a frequency and a start the quota would be for ever. The sink's is of a week: its messages wait for 14 days
  frequency       = each.key == "sink" ? "WEEKLY" : "MONTHLY"
  start_timestamp = "IMMEDIATELY"

  notify_triggers = [50, 75, 90]
  # what runs may end; at 110 % that stops too
  suspend_trigger           = 100
  suspend_immediate_trigger = 110
}

resource "snowflake_warehouse" "purpose" {
  for_each = local.warehouse_names

  name           = each.value
  comment        = "${title(each.key)} (${var.name}, ${var.environment})"
  warehouse_size = var.warehouse_sizes[each.key]
  warehouse_type = "STANDARD"
  # Left out, a new warehouse is of the second generation, which costs a third more, and has query acceleration on, which
  # is billed apart and stopped by no quota.
  generation                = "1"
  enable_query_acceleration = "false"
  resource_monitor          = snowflake_resource_monitor.purpose[each.key].fully_qualified_name

  auto_suspend        = 60
  auto_resume         = "true"
  initially_suspended = true

  statement_timeout_in_seconds        = local.statement_timeouts[each.key]
  statement_queued_timeout_in_seconds = 600
}
