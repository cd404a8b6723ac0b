# One apply creates everything. Snowflake and AWS name each other: the API integration names a role by its ARN, which is
# known before the role exists; the role trusts the user that Snowflake created for the integration; the external function
# calls the stage of the API. Terraform orders resources, not modules, so that is no cycle.

locals {
  tags = merge(var.tags, {
    project     = var.name
    environment = var.environment
    managed_by  = "terraform"
  })

  known_connections  = yamldecode(file("${path.module}/../airbyte/connections.yml")).connections
  wanted_connections = setunion(var.source_names, compact([var.contacts_source, var.products_source]))
  connections        = { for name in local.wanted_connections : name => local.known_connections[name] }

  scores_in_aws = var.scoring == "external_function"
  prefect_workspace = { # the trust in Prefect Cloud is limited to it
    prefect_account_id   = try(regex("/accounts/([^/]+)/", var.prefect.api_url)[0], null)
    prefect_workspace_id = try(regex("/workspaces/([^/]+)", var.prefect.api_url)[0], null)
  }
  snowflake_account = "${var.snowflake.organization}-${var.snowflake.account}"
}

module "snowflake" {
  source = "./snowflake"

  name                   = var.name
  environment            = var.environment
  tags                   = local.tags
  database               = var.database
  edition                = var.edition
  unmasked_personal_data = var.unmasked_personal_data
  sources                = local.wanted_connections
  public_keys            = var.public_keys
  next_public_keys       = var.next_public_keys
  credit_quotas          = var.credit_quotas
  warehouse_sizes        = var.warehouse_sizes
  notify_users           = var.notify_users
  network_allowed_ips    = var.network_allowed_ips
  pii_roles              = var.pii_roles
  readers                = var.readers
  data_retention_days    = var.data_retention_days
  network_policy_users   = var.network_policy_users
  parent_role            = var.parent_role

  external_function = local.scores_in_aws ? {
    url      = module.aws.snowflake_api_url
    role_arn = module.aws.snowflake_role_arn
  } : null
}

module "aws" {
  source = "./aws"

  name                    = var.name
  environment             = var.environment
  tags                    = local.tags
  region                  = var.region
  account_id              = var.account_id
  packages                = var.packages
  architecture            = var.architecture
  python_runtime          = var.python_runtime
  reserved_concurrency    = var.reserved_concurrency
  startup                 = var.startup
  provisioned_concurrency = var.provisioned_concurrency
  throttle                = var.throttle
  jwt                     = var.jwt
  domain                  = var.domain
  existing_secrets        = var.existing_secrets
  shop_time_zone          = var.shop_time_zone
  when_not_stored         = var.when_not_stored
  alarm_emails            = var.alarm_emails
  monthly_budget_usd      = var.monthly_budget_usd
  budget_by_tags          = var.budget_by_tags
  scoring_is_external     = local.scores_in_aws
  log_retention_days      = var.log_retention_days
  log_level               = var.log_level
  memory_mb               = var.memory_mb
  sink_concurrency        = var.sink_concurrency
  sink_every_hours        = var.sink_every_hours
  outputs_kept_days       = var.outputs_kept_days

  runs = merge(var.runs, local.prefect_workspace, { image_tag = var.image_tag })

  existing_secrets_kms_key  = var.existing_secrets_kms_key
  hours_without_predictions = var.hours_without_predictions

  snowflake_principal = local.scores_in_aws ? {
    user_arn    = module.snowflake.api_user_arn
    external_id = module.snowflake.api_external_id
  } : null

  snowflake_settings = { # of the sink, who writes served predictions
    account   = local.snowflake_account
    user      = module.snowflake.users["scorer"]
    role      = module.snowflake.roles["scorer"]
    warehouse = module.snowflake.warehouses["sink"]
    database  = module.snowflake.database
  }
}

module "prefect" {
  source = "./prefect"

  name        = "rfm-churn" # as in prefect.yaml; dev and prod have a workspace each
  runs_on     = var.runs.on
  runs_on_ecs = module.aws.runs_on_ecs
  local_pool  = var.prefect.local_pool
  automations = yamldecode(file("${path.module}/../flows/automations.yaml")).automations

  snowflake = {
    account   = local.snowflake_account
    user      = module.snowflake.users["transformer"]
    role      = module.snowflake.roles["transformer"]
    warehouse = module.snowflake.warehouses["transform"]
    database  = module.snowflake.database
  }
  snowflake_private_key            = var.transformer_private_key
  snowflake_private_key_passphrase = var.transformer_private_key_passphrase
  alerts                           = var.alerts
  alerts_form                      = try(yamldecode(file("${path.module}/../flows/alerts.yaml")).receivers[var.alerts.to], null)
  alerts_secret                    = var.alerts_secret
  has_airbyte                      = var.airbyte != null
  airbyte_client_id                = var.airbyte_client_id
  airbyte_client_secret            = var.airbyte_client_secret
  has_tableau                      = var.tableau != null
  tableau_token_name               = var.tableau_token_name
  tableau_token_secret             = var.tableau_token_secret
  has_hubspot                      = var.hubspot != null
  hubspot_activation_token         = var.hubspot_activation_token
  secrets_version                  = var.secrets_version
}

module "airbyte" {
  source = "./airbyte"
  count  = var.airbyte == null ? 0 : 1

  workspace_id = var.airbyte.workspace_id
  connections  = local.connections
  manifests    = "${path.module}/../airbyte"
  settings     = var.source_settings
  files        = var.source_files

  file_credentials = var.source_file_credentials

  snowflake = {
    account   = local.snowflake_account
    user      = module.snowflake.users["loader"]
    role      = module.snowflake.roles["loader"]
    warehouse = module.snowflake.warehouses["load"]
    database  = module.snowflake.database
    schema    = module.snowflake.airbyte_schema
  }
  snowflake_private_key            = var.loader_private_key
  snowflake_private_key_passphrase = var.loader_private_key_passphrase
}
