# The only table whose history cannot be rebuilt. dbt would create it at its first run; before that no right on it could be
# granted, and the sink would need rights on the whole schema. So it is created here, empty, and is dbt's from then on: dbt
# only merges into it and adds columns.

locals {
  # as in dbt's contract (dbt_project/models/marts/_marts__models.yml), in its order
  prediction_columns = [
    ["PREDICTION_ID", "VARCHAR"],
    ["CUSTOMER_ID", "VARCHAR"],
    ["AS_OF_DATE", "DATE"],
    ["HORIZON_DAYS", "NUMBER(38,0)"],
    ["CLV_DAYS", "NUMBER(38,0)"],
    ["CHURN_PROBABILITY", "FLOAT"],
    ["RISK_BAND", "VARCHAR"],
    ["EXPECTED_SPEND", "FLOAT"],
    ["ALIVE_PROBABILITY", "FLOAT"],
    ["LIFECYCLE", "VARCHAR"],
    ["CLV", "FLOAT"],
    ["CLV_LOW", "FLOAT"],
    ["CLV_HIGH", "FLOAT"],
    ["EXPECTED_LOSS", "FLOAT"],
    ["WIN_BACK_VALUE", "FLOAT"],
    ["NEXT_ORDER_EARLIEST_ON", "DATE"],
    ["NEXT_ORDER_ON", "DATE"],
    ["NEXT_ORDER_LATEST_ON", "DATE"],
    ["NEXT_ORDER_IF_BACK_ON", "DATE"],
    ["REASON_1", "VARCHAR"],
    ["REASON_2", "VARCHAR"],
    ["REASON_3", "VARCHAR"],
    ["MODEL_VERSION", "VARCHAR"],
    ["SOURCE", "VARCHAR"],
    ["SCORED_AT", "TIMESTAMP_NTZ(9)"],
  ]
}

resource "snowflake_table" "churn_predictions" {
  database   = snowflake_database.main.name
  schema     = snowflake_schema.all["MARTS"].name
  name       = "CHURN_PREDICTIONS"
  comment    = "Every churn probability that was given"
  cluster_by = ["AS_OF_DATE"]

  dynamic "column" {
    for_each = local.prediction_columns
    content {
      name = column.value[0]
      # the length that text has where none is written, since bundle 2025_07: a shorter one dbt would widen, under a mask
      type = column.value[1] == "VARCHAR" ? "VARCHAR(134217728)" : column.value[1]
    }
  }

  lifecycle {
    ignore_changes = all # dbt's from here on
  }
}

resource "snowflake_grant_ownership" "churn_predictions" {
  account_role_name = snowflake_account_role.purpose["transformer"].name
  # what others were granted stays
  outbound_privileges = "COPY"

  on {
    object_type = "TABLE"
    object_name = snowflake_table.churn_predictions.fully_qualified_name
  }

  # the new owner must be able to reach it
  depends_on = [snowflake_grant_privileges_to_account_role.schema]
}
