# Who costs what, in snowflake.account_usage.tag_references joined with warehouse_metering_history

resource "snowflake_tag" "cost_center" {
  count = local.has_tags ? 1 : 0

  database = snowflake_database.main.name
  schema   = snowflake_schema.all[local.governance_schema].name
  name     = "COST_CENTER"
  comment  = "Who pays"
}

resource "snowflake_tag" "purpose" {
  count = local.has_tags ? 1 : 0

  database               = snowflake_database.main.name
  schema                 = snowflake_schema.all[local.governance_schema].name
  name                   = "PURPOSE"
  comment                = "What a warehouse is for"
  ordered_allowed_values = sort(keys(local.warehouse_names))
}

resource "snowflake_tag_association" "cost_center_of_database" {
  count = local.has_tags ? 1 : 0

  object_type        = "DATABASE"
  object_identifiers = [snowflake_database.main.fully_qualified_name]
  tag_id             = snowflake_tag.cost_center[0].fully_qualified_name
  tag_value          = local.cost_center
}

resource "snowflake_tag_association" "cost_center_of_warehouses" {
  count = local.has_tags ? 1 : 0

  object_type        = "WAREHOUSE"
  object_identifiers = [for warehouse in snowflake_warehouse.purpose : warehouse.fully_qualified_name]
  tag_id             = snowflake_tag.cost_center[0].fully_qualified_name
  tag_value          = local.cost_center
}

resource "snowflake_tag_association" "purpose" {
  for_each = local.has_tags ? local.warehouse_names : {}

  object_type        = "WAREHOUSE"
  object_identifiers = [snowflake_warehouse.purpose[each.key].fully_qualified_name]
  tag_id             = snowflake_tag.purpose[0].fully_qualified_name
  tag_value          = each.key
}
