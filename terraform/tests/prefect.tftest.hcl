# The rules of the Prefect module, on a provider that is made up: no workspace and no network are needed.

mock_provider "prefect" {}

variables {
  name                             = "rfm-churn"
  work_pool                        = { type = "process" }
  snowflake                        = { account = "ORG-SHOP", user = "U", role = "R", warehouse = "W", database = "D" }
  snowflake_private_key            = "-----BEGIN PRIVATE KEY-----"
  snowflake_private_key_passphrase = "example"
  alerts_url                       = "https://hooks.example.com/alerts"
  has_airbyte                      = false
  airbyte_client_id                = "example"
  airbyte_client_secret            = "example"
  has_tableau                      = false
  has_hubspot                      = false
  hubspot_activation_token         = "example"
  tableau_token_name               = "example"
  tableau_token_secret             = "example"
  secrets_version                  = 1
  automations = [{
    name        = "rfm-churn failed"
    description = "A run failed."
    trigger = {
      posture       = "Reactive"
      expect        = ["prefect.flow-run.Failed"]
      match         = { "prefect.resource.id" = "prefect.flow-run.*" }
      match_related = [{ "prefect.resource.role" = "tag", "prefect.resource.id" = "prefect.tag.rfm-churn" }]
      for_each      = ["prefect.resource.id"]
      threshold     = 1
      within        = 0
    }
    actions = [{ type = "call-webhook", block_document_id = "webhook/alerts", payload = "{}" }]
  }]
}

run "one_run_at_a_time" {
  command = plan

  module {
    source = "./prefect"
  }

  assert {
    condition     = prefect_work_pool.scheduled.concurrency_limit == 1 && prefect_work_pool.local.concurrency_limit == 1
    error_message = "Two runs would write the same tables: each pool is to be limited to one."
  }

  assert {
    condition     = prefect_global_concurrency_limit.one_at_a_time.limit == 1
    error_message = "The pools do not know of each other: the global limit is to be one."
  }
}

run "secrets_are_write_only" {
  command = apply

  module {
    source = "./prefect"
  }

  assert {
    condition     = prefect_block.snowflake_credentials.data == null && prefect_block.alerts.data == null
    error_message = "A secret in `data` would stand in the state: use data_wo."
  }

  assert {
    condition     = !strcontains(prefect_block.snowflake.data, "PRIVATE")
    error_message = "The connector is to refer to the credentials, not to hold them."
  }
}

run "an_alert_goes_to_the_block" {
  command = apply

  module {
    source = "./prefect"
  }

  assert {
    condition     = prefect_automation.this["rfm-churn failed"].actions[0].block_document_id == prefect_block.alerts.id
    error_message = "webhook/alerts in flows/automations.yaml is the block `alerts`."
  }
}

run "without_airbyte_and_tableau_there_are_no_blocks_for_them" {
  command = plan

  module {
    source = "./prefect"
  }

  assert {
    condition     = output.airbyte_block == null && output.tableau_block == null
    error_message = "There are no credentials to keep."
  }
}

run "an_action_with_a_block_that_nobody_knows_is_refused" {
  command = plan

  module {
    source = "./prefect"
  }

  variables {
    automations = [{
      name        = "rfm-churn failed"
      description = "A run failed."
      trigger = {
        posture       = "Reactive"
        expect        = ["prefect.flow-run.Failed"]
        match         = { "prefect.resource.id" = "prefect.flow-run.*" }
        match_related = [{ "prefect.resource.role" = "tag", "prefect.resource.id" = "prefect.tag.rfm-churn" }]
        for_each      = ["prefect.resource.id"]
        threshold     = 1
        within        = 0
      }
      actions = [{ type = "call-webhook", block_document_id = "slack/ops", payload = "{}" }]
    }]
  }

  expect_failures = [prefect_automation.this]
}
