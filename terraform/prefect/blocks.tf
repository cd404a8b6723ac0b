# What the flows load by name. Secrets are write-only: Terraform hands them over and keeps neither value nor digest, so a
# changed secret is only written when `secrets_version` is raised.
#
# There are no Prefect variables: the flows read the environment, which prefect.yaml sets from what `make env` writes,
# and a second place for the same value would be one too many.

resource "prefect_block" "snowflake_credentials" {
  name      = "${var.name}-credentials"
  type_slug = "snowflake-credentials"

  data_wo = jsonencode({
    account                = var.snowflake.account
    user                   = var.snowflake.user
    role                   = var.snowflake.role
    authenticator          = "snowflake_jwt"
    private_key            = var.snowflake_private_key
    private_key_passphrase = var.snowflake_private_key_passphrase
  })
  data_wo_version = var.secrets_version
}

resource "prefect_block" "snowflake" {
  name      = var.name
  type_slug = "snowflake-connector"

  data = jsonencode({
    credentials = { "$ref" = { block_document_id = prefect_block.snowflake_credentials.id } }
    database    = var.snowflake.database
    warehouse   = var.snowflake.warehouse
    schema      = "raw"
  })
}

resource "prefect_block" "alerts" {
  name      = "alerts" # by this name flows/automations.yaml and `make alert-test` know it
  type_slug = var.alerts.to == "email" ? "sendgrid-email" : "custom-webhook"

  data_wo = var.alerts.to == "email" ? jsonencode({
    api_key      = var.alerts_secret
    sender_email = var.alerts.sender
    to_emails    = var.alerts.recipients
    }) : jsonencode({
    name      = "alerts"
    method    = "POST"
    url       = try(var.alerts_form.url, null)
    json_data = try(var.alerts_form.json_data, null)
    secrets   = { secret = var.alerts_secret }
  })
  data_wo_version = var.secrets_version
}

resource "prefect_block" "airbyte" {
  count = var.has_airbyte ? 1 : 0

  name      = "airbyte"
  type_slug = "secret"

  data_wo = jsonencode({
    value = {
      client_id     = var.airbyte_client_id
      client_secret = var.airbyte_client_secret
    }
  })
  data_wo_version = var.secrets_version
}

resource "prefect_block" "tableau" {
  count = var.has_tableau ? 1 : 0

  name      = "tableau"
  type_slug = "secret"

  data_wo = jsonencode({
    value = {
      token_name   = var.tableau_token_name
      token_secret = var.tableau_token_secret
    }
  })
  data_wo_version = var.secrets_version
}

resource "prefect_block" "hubspot" {
  count = var.has_hubspot ? 1 : 0

  name      = "hubspot-activation"
  type_slug = "secret"

  data_wo         = jsonencode({ value = var.hubspot_activation_token })
  data_wo_version = var.secrets_version
}
