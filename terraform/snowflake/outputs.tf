output "database" {
  description = "SNOWFLAKE_DATABASE."
  value       = snowflake_database.main.name
}

output "schemas" {
  description = "Every schema, by its name in lower-case letters."
  value       = { for name, schema in snowflake_schema.all : lower(name) => schema.name }
}

output "airbyte_schema" {
  description = "For Airbyte's destination, as its default schema and as raw_data_schema: it makes no schema of its own."
  value       = snowflake_schema.all[local.airbyte_schema].name
}

output "warehouses" {
  description = "Names by purpose: load, transform, report."
  value       = { for purpose, warehouse in snowflake_warehouse.purpose : purpose => warehouse.name }
}

output "roles" {
  description = "Names by purpose: loader, transformer, scorer, reporter."
  value       = { for purpose, role in snowflake_account_role.purpose : purpose => role.name }
}

output "users" {
  description = "Names by purpose: loader, transformer, scorer, reporter."
  value       = { for purpose, user in snowflake_service_user.purpose : purpose => user.name }
}

output "stage" {
  description = "The stage of loads."
  value       = snowflake_stage_internal.loads.fully_qualified_name
}

output "api_user_arn" {
  description = "The AWS user that is Snowflake; null without an external function."
  value       = one(snowflake_api_integration_amazon_api_gateway.churn_api[*].describe_output[0].api_aws_iam_user_arn)
}

output "api_external_id" {
  description = "The external id that Snowflake sends when it assumes the role; null without an external function."
  value       = one(snowflake_api_integration_amazon_api_gateway.churn_api[*].describe_output[0].api_aws_external_id)
}
