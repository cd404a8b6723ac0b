resource "airbyte_destination" "snowflake" {
  name          = "snowflake"
  workspace_id  = var.workspace_id
  definition_id = "424892c4-daac-4491-b35d-c6688ba547ba" # destination-snowflake

  # The provider knows no write-only argument here: a value that is no reference (`secret_coordinate::…`) is in the state.
  configuration = jsonencode({
    host      = "${var.snowflake.account}.snowflakecomputing.com"
    role      = var.snowflake.role
    warehouse = var.snowflake.warehouse
    database  = var.snowflake.database
    schema    = var.snowflake.schema # where tables are prepared; each connection names the one where they go

    raw_data_schema = var.snowflake.schema
    username        = var.snowflake.user
    credentials = merge(
      { auth_type = "Key Pair Authentication", private_key = var.snowflake_private_key },
      var.snowflake_private_key_passphrase == null ? {} : { private_key_password = var.snowflake_private_key_passphrase },
    )
  })
}
