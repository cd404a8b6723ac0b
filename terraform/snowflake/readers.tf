# Roles of others that may read the marts, on a warehouse of their own or on ours for reports

locals {
  readers = toset([for role in var.readers : upper(role)])
  reads   = { for pair in setproduct(local.readers, ["TABLES", "VIEWS"]) : "${pair[0]} ${pair[1]}" => { role = pair[0], kind = pair[1] } }
}

resource "snowflake_grant_privileges_to_account_role" "reader_database" {
  for_each = local.readers

  account_role_name = each.key
  privileges        = ["USAGE"]

  on_account_object {
    object_type = "DATABASE"
    object_name = snowflake_database.main.name
  }
}

resource "snowflake_grant_privileges_to_account_role" "reader_warehouse" {
  for_each = local.readers

  account_role_name = each.key
  privileges        = ["USAGE"]

  on_account_object {
    object_type = "WAREHOUSE"
    object_name = snowflake_warehouse.purpose["report"].name
  }
}

resource "snowflake_grant_privileges_to_account_role" "reader_schema" {
  for_each = local.readers

  account_role_name = each.key
  privileges        = ["USAGE"]

  on_schema {
    schema_name = snowflake_schema.all["MARTS"].fully_qualified_name
  }
}

resource "snowflake_grant_privileges_to_account_role" "reader_future" {
  for_each = local.reads

  account_role_name = each.value.role
  privileges        = ["SELECT"]

  on_schema_object {
    future {
      object_type_plural = each.value.kind
      in_schema          = snowflake_schema.all["MARTS"].fully_qualified_name
    }
  }
}

resource "snowflake_grant_privileges_to_account_role" "reader_predictions" {
  for_each = local.readers

  account_role_name = each.key
  privileges        = ["SELECT"]

  on_schema_object {
    object_type = "TABLE"
    object_name = snowflake_table.churn_predictions.fully_qualified_name
  }

  depends_on = [snowflake_grant_ownership.churn_predictions]
}
