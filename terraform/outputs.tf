# What people and other tools need to know. No secret: Terraform refuses outputs that would show a sensitive value.

output "environment_variables" {
  description = "What prefect.yaml, `make deploy` and the flows read: `make env` writes them to a file."
  value = merge(
    {
      MANAGED_BY            = "terraform" # make deploy leaves alone what Terraform made
      WAREHOUSE             = "snowflake"
      PREFECT_API_URL       = var.prefect.api_url
      REPOSITORY_URL        = var.repository_url
      SOURCE                = join(",", sort(var.source_names))
      SNOWFLAKE_BLOCK       = module.prefect.snowflake_block
      SNOWFLAKE_SCORING     = var.scoring
      AWS_REGION            = var.region
      MODELS                = module.aws.models_location
      OUTPUTS               = coalesce(var.outputs, module.aws.outputs_location)
      RUNS_ON               = var.runs.on
      QUEUE_URL             = module.aws.queue_url
      DEAD_LETTER_QUEUE_URL = module.aws.dead_letter_queue_url
    },
    { for name, value in { # blank is not the same as unset
      CONTACTS              = var.contacts_source
      PRODUCTS              = var.products_source
      CURRENCY              = var.currency
      HORIZON_DAYS          = var.horizon_days == null ? null : tostring(var.horizon_days)
      PREDICTIONS_KEPT_DAYS = var.predictions_kept_days == null ? null : tostring(var.predictions_kept_days)

      SHOW_PII      = var.show_pii ? "1" : null
      LOCAL_POOL    = var.prefect.local_pool ? "1" : null
      RUNS_ROLE     = module.aws.runs_role_arn
      CRM_LINK      = var.crm_link
      PAGE_LINK     = var.page_link
      AIRBYTE_URL   = try(var.airbyte.url, null)
      AIRBYTE_BLOCK = module.prefect.airbyte_block

      STALE_AFTER_DAYS        = var.old_data.stale_after_days == null ? null : tostring(var.old_data.stale_after_days)
      STOP_SENDING_AFTER_DAYS = var.old_data.stop_sending_after_days == null ? null : tostring(var.old_data.stop_sending_after_days)
      SYNC_FAILED             = var.old_data.sync_failed

      DIGEST_TO            = try(var.digest.to, null)
      DIGEST_FROM          = try(var.digest.from, null)
      DIGEST_LANGUAGE      = try(var.digest.language, null)
      DIGEST_WEEKDAY       = try(var.digest.weekday, null)
      DIGEST_SMTP_HOST     = try(var.digest.smtp_host, null)
      DIGEST_SMTP_PORT     = try(tostring(var.digest.smtp_port), null)
      DIGEST_SMTP_SECURITY = try(var.digest.smtp_security, null)
      DIGEST_SMTP_USER     = try(var.digest.smtp_user, null)
      DIGEST_BLOCK         = try(var.digest.block, null)

      LOSS_UP_ALERT  = try(tostring(var.alert_thresholds.loss_up), null)
      REJECTED_ALERT = try(tostring(var.alert_thresholds.rejected), null)

      DESTINATION              = var.hubspot != null && coalesce(try(var.hubspot.segments_daily, null), var.environment == "prod") ? "hubspot" : null
      GLOBAL_HOLDOUT           = var.global_holdout > 0 ? tostring(var.global_holdout) : null
      HUBSPOT_ACTIVATION_BLOCK = module.prefect.hubspot_block
      HUBSPOT_CREATE_CONTACTS  = try(var.hubspot.create_contacts, false) ? "1" : null
      KLAVIYO_BLOCK            = try(var.klaviyo.block, null)
      KLAVIYO_CREATE_PROFILES  = try(var.klaviyo.create_profiles, false) ? "1" : null

      BREVO_BLOCK                 = try(var.brevo.block, null)
      BREVO_CREATE_CONTACTS       = try(var.brevo.create_contacts, false) ? "1" : null
      BREVO_SUPPRESS_OPT_OUTS     = try(var.brevo.suppress_opt_outs, false) ? "1" : null
      MAILCHIMP_BLOCK             = try(var.mailchimp.block, null)
      MAILCHIMP_AUDIENCE          = try(var.mailchimp.audience, null)
      MAILCHIMP_CREATE_MEMBERS    = try(var.mailchimp.create_members, false) ? "1" : null
      MAILCHIMP_SUPPRESS_OPT_OUTS = try(var.mailchimp.suppress_opt_outs, false) ? "1" : null

      TABLEAU_URL                 = try(var.tableau.url, null)
      TABLEAU_SITE                = try(var.tableau.site, null)
      TABLEAU_PROJECT             = try(var.tableau.project, null)
      TABLEAU_BLOCK               = module.prefect.tableau_block
      TABLEAU_SNOWFLAKE_USER      = var.tableau == null ? null : module.snowflake.users["reporter"]
      TABLEAU_SNOWFLAKE_ROLE      = module.snowflake.roles["reporter"]
      TABLEAU_SNOWFLAKE_WAREHOUSE = module.snowflake.warehouses["report"]
    } : name => value if value != null },
  )
}

output "api_url" {
  description = "Where tools and shops post to: docs/api.md."
  value       = module.aws.api_url
}

output "api_domain_target" {
  description = "What the DNS record of `domain` points to, as a CNAME."
  value       = module.aws.api_domain_target
}

output "image_repository" {
  description = "Where the image of the runs is pushed to (runs.on = \"ecs\"): docs/deploy.md."
  value       = module.aws.image_repository
}

output "models_policy_arn" {
  description = "With runs.on = \"machine\": for the machine's role, so that runs can read and add models."
  value       = module.aws.models_policy_arn
}

output "secrets_to_fill" {
  description = "Secrets in AWS that are created empty: docs/deploy.md says what goes into each."
  value       = module.aws.secrets
}

output "dashboard_url" {
  description = "CloudWatch's page about the API and the sink."
  value       = module.aws.dashboard_url
}

output "snowflake" {
  description = "Names in Snowflake: database, warehouses, roles, users and the stage of loads."
  value = {
    database   = module.snowflake.database
    warehouses = module.snowflake.warehouses
    roles      = module.snowflake.roles
    users      = module.snowflake.users
    stage      = module.snowflake.stage
  }
}

output "airbyte_connections" {
  description = "Ids of Airbyte's connections, by entry of airbyte/connections.yml."
  value       = try(module.airbyte[0].connections, {})
}
