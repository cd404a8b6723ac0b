# The trust between Snowflake and AWS is mutual, and each side needs the other's name first. The name of the role is
# known before the role exists: so the integration is created first and has the caller (outputs api_user_arn and
# api_external_id), and the role that trusts only that caller comes after it, in the same apply.

resource "snowflake_api_integration_amazon_api_gateway" "churn_api" {
  count = var.external_function == null ? 0 : 1

  name             = "${local.prefix}_API"
  comment          = "The REST API that scores"
  api_provider     = "aws_api_gateway"
  api_aws_role_arn = var.external_function.role_arn
  # this one resource of this one stage
  api_allowed_prefixes = ["${trimsuffix(var.external_function.url, "/")}/snowflake"]
  enabled              = true
}

resource "snowflake_external_function" "predict_churn" {
  count = var.external_function == null ? 0 : 1

  database = snowflake_database.main.name
  schema   = snowflake_schema.all["MARTS"].name
  name     = "PREDICT_CHURN"
  comment  = "Churn, spend and next order of a customer: one row of marts.customer_features as an object"

  arg {
    name = "FEATURES"
    type = "VARIANT"
  }

  return_type         = "VARIANT"
  return_null_allowed = true
  null_input_behavior = "CALLED ON NULL INPUT"
  # another model returns other values
  return_behavior = "VOLATILE"

  api_integration           = snowflake_api_integration_amazon_api_gateway.churn_api[0].name
  url_of_proxy_and_resource = "${trimsuffix(var.external_function.url, "/")}/snowflake"

  # within one region bytes cost nothing, and a gateway hands gzip to Lambda only as base64
  compression = "NONE"
  # some 900 KB there and 500 KB back, of the 6 MB that Lambda takes
  max_batch_rows = 1000
}

resource "snowflake_grant_privileges_to_account_role" "predict_churn" {
  count = var.external_function == null ? 0 : 1

  account_role_name = snowflake_account_role.purpose["transformer"].name
  privileges        = ["USAGE"]

  on_schema_object {
    object_type = "FUNCTION"
    # not written out: a function that is made again would lose the right until the apply after next
    object_name = snowflake_external_function.predict_churn[0].fully_qualified_name
  }
}
