# Every right that a role has, as data. There is no ALL PRIVILEGES, no OWNERSHIP of anything that exists (but for
# marts.churn_predictions, see predictions.tf), and no right to make a schema: a role owns what it makes.

locals {
  fills_raw = ["USAGE", "CREATE TABLE"]
  builds    = ["USAGE", "CREATE TABLE", "CREATE VIEW"]

  schema_grants = merge(
    # Airbyte creates a stage for each stream next to its table, and in earlier releases a file format
    {
      for schema in setunion(local.source_schemas, [local.airbyte_schema]) : "loader ${schema}" => {
        role = "loader", schema = schema, privileges = concat(local.fills_raw, ["CREATE STAGE", "CREATE FILE FORMAT"])
      }
    },
    # a file (ORDERS=) becomes a table of raw_<source>, like what Airbyte brings
    {
      for schema in local.source_schemas : "transformer ${schema}" => {
        role = "transformer", schema = schema, privileges = local.fills_raw
      }
    },
    {
      # `create stage if not exists` wants the right to make one even where it is there
      "transformer RAW"          = { role = "transformer", schema = "RAW", privileges = concat(local.fills_raw, ["CREATE STAGE"]) }
      "transformer STAGING"      = { role = "transformer", schema = "STAGING", privileges = local.builds }
      "transformer INTERMEDIATE" = { role = "transformer", schema = "INTERMEDIATE", privileges = local.builds }
      # a backfill scores by marts.predict_churn_udf, whatever else does
      "transformer MARTS" = { role = "transformer", schema = "MARTS", privileges = concat(local.builds, ["CREATE STAGE", "CREATE FUNCTION"]) }
      "scorer MARTS"      = { role = "scorer", schema = "MARTS", privileges = ["USAGE"] }
      "reporter MARTS"    = { role = "reporter", schema = "MARTS", privileges = ["USAGE"] }
    },
  )

  future_grants = merge(
    # Airbyte's tables are Airbyte's: the flows read them, and blank or delete the rows of erased people.
    # Also in Airbyte's own schema, which they may not use: a table that is swapped into place brings its rights along.
    {
      for schema in setunion(local.source_schemas, [local.airbyte_schema]) : "transformer ${schema} TABLES" => {
        role = "transformer", schema = schema, kind = "TABLES", privileges = ["SELECT", "UPDATE", "DELETE"]
      }
    },
    {
      for kind in ["TABLES", "VIEWS"] : "reporter MARTS ${kind}" => {
        role = "reporter", schema = "MARTS", kind = kind, privileges = ["SELECT"]
      }
    },
  )

  stage_grants = {
    loads  = snowflake_stage_internal.loads.fully_qualified_name
    models = snowflake_stage_internal.models.fully_qualified_name
  }
}

resource "snowflake_grant_privileges_to_account_role" "database" {
  for_each = local.role_names

  account_role_name = snowflake_account_role.purpose[each.key].name
  privileges        = ["USAGE"]

  on_account_object {
    object_type = "DATABASE"
    object_name = snowflake_database.main.name
  }
}

resource "snowflake_grant_privileges_to_account_role" "warehouse" {
  for_each = local.warehouse_of

  account_role_name = snowflake_account_role.purpose[each.key].name
  privileges        = ["USAGE"]

  on_account_object {
    object_type = "WAREHOUSE"
    object_name = snowflake_warehouse.purpose[each.value].name
  }
}

resource "snowflake_grant_privileges_to_account_role" "schema" {
  for_each = local.schema_grants

  account_role_name = snowflake_account_role.purpose[each.value.role].name
  privileges        = each.value.privileges

  on_schema {
    schema_name = snowflake_schema.all[each.value.schema].fully_qualified_name
  }
}

resource "snowflake_grant_privileges_to_account_role" "future" {
  for_each = local.future_grants

  account_role_name = snowflake_account_role.purpose[each.value.role].name
  privileges        = each.value.privileges

  on_schema_object {
    future {
      object_type_plural = each.value.kind
      in_schema          = snowflake_schema.all[each.value.schema].fully_qualified_name
    }
  }
}

resource "snowflake_grant_privileges_to_account_role" "stage" {
  for_each = local.stage_grants

  account_role_name = snowflake_account_role.purpose["transformer"].name
  privileges        = ["READ", "WRITE"]

  on_schema_object {
    object_type = "STAGE"
    object_name = each.value
  }
}

# MERGE reads the ids that are there and inserts the others. No UPDATE, no DELETE, and of no other table anything.
resource "snowflake_grant_privileges_to_account_role" "predictions" {
  account_role_name = snowflake_account_role.purpose["scorer"].name
  privileges        = ["SELECT", "INSERT"]

  on_schema_object {
    object_type = "TABLE"
    object_name = snowflake_table.churn_predictions.fully_qualified_name
  }

  # a change of owner while rights are being given loses some of them
  depends_on = [snowflake_grant_ownership.churn_predictions]
}

# The table may be created before the reporter's right on future ones, or after
resource "snowflake_grant_privileges_to_account_role" "predictions_read" {
  account_role_name = snowflake_account_role.purpose["reporter"].name
  privileges        = ["SELECT"]

  on_schema_object {
    object_type = "TABLE"
    object_name = snowflake_table.churn_predictions.fully_qualified_name
  }

  depends_on = [snowflake_grant_ownership.churn_predictions]
}
