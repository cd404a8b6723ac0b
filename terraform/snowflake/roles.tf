resource "snowflake_account_role" "purpose" {
  for_each = local.role_names

  name = each.value
  comment = {
    loader      = "Airbyte: fills raw_<source>"
    transformer = "The flows and dbt: owns all tables beyond raw ones"
    scorer      = "The Lambda prediction_sink: adds to marts.churn_predictions"
    reporter    = "Tableau: reads the marts"
  }[each.key]
}

# else not even administrators could see what these roles own
resource "snowflake_grant_account_role" "to_parent" {
  for_each = local.role_names

  role_name        = snowflake_account_role.purpose[each.key].name
  parent_role_name = var.parent_role
}

resource "snowflake_grant_account_role" "to_user" {
  for_each = local.role_names

  role_name = snowflake_account_role.purpose[each.key].name
  user_name = snowflake_service_user.purpose[each.key].name
}
