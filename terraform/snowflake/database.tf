resource "snowflake_database" "main" {
  name    = local.database
  comment = "One shop's orders, segments and churn predictions (${var.environment})"

  data_retention_time_in_days    = var.edition == "standard" ? min(1, coalesce(var.data_retention_days, 1)) : coalesce(var.data_retention_days, var.environment == "prod" ? 7 : 1)
  drop_public_schema_on_creation = true
}

locals {
  schema_comments = merge(
    { for schema in local.source_schemas : schema => "What Airbyte or a file has landed, every value unchanged" },
    {
      RAW                       = "Records of the flows: loads, the shop, erasures"
      STAGING                   = "dbt: columns named and typed, rows validated"
      INTERMEDIATE              = "dbt: people, purchases, training snapshots"
      MARTS                     = "dbt: what marketing, Tableau and the API read and write"
      (local.airbyte_schema)    = "Where Airbyte prepares its tables"
      (local.governance_schema) = "Masking policies and tags"
    },
  )
}

resource "snowflake_schema" "all" {
  for_each = local.schema_comments

  database = snowflake_database.main.name
  name     = each.key
  comment  = each.value
  # dbt gives readers their rights on what it builds; with managed access only the schema's owner could
  with_managed_access = "false"
}
