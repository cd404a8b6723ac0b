# How each system is reached. Secrets are ephemeral variables: they are in no plan and in no state.

provider "snowflake" {
  organization_name      = var.snowflake.organization
  account_name           = var.snowflake.account
  user                   = var.snowflake.user
  role                   = var.snowflake.role
  authenticator          = "SNOWFLAKE_JWT"
  private_key            = var.snowflake_private_key
  private_key_passphrase = var.snowflake_private_key_passphrase

  # The provider calls these previews and may change them with a minor version: versions.tf holds it still.
  preview_features_enabled = [
    "snowflake_external_function_resource",
    "snowflake_table_resource",
  ]
}

# Credentials as the AWS CLI finds them: a profile, a role, or the variables of the environment.
provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id] # so that dev's credentials never touch prod

  default_tags {
    tags = local.tags
  }
}

provider "prefect" {
  endpoint = var.prefect.api_url
  api_key  = var.prefect_api_key
}

provider "airbyte" {
  server_url    = try(var.airbyte.url, null)
  token_url     = try("${var.airbyte.url}/applications/token", null)
  client_id     = var.airbyte_client_id
  client_secret = var.airbyte_client_secret
}
