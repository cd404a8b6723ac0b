# The rules of the Prefect module, on a provider that is made up: no workspace and no network are needed.

mock_provider "prefect" {}

variables {
  name                             = "rfm-churn"
  runs_on                          = "machine"
  local_pool                       = true
  snowflake                        = { account = "ORG-SHOP", user = "U", role = "R", warehouse = "W", database = "D" }
  snowflake_private_key            = "-----BEGIN PRIVATE KEY-----"
  snowflake_private_key_passphrase = "example"
  alerts                           = { to = "slack" }
  alerts_form                      = { url = "{{secret}}", json_data = { text = "{{subject}}" } }
  alerts_secret                    = "https://hooks.example.com/alerts"
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
    actions = [{ type = "send-notification", block_document_id = "alerts", subject = "s", body = "b" }]
  }]
}

run "one_run_at_a_time" {
  command = plan

  module {
    source = "./prefect"
  }

  assert {
    condition     = prefect_work_pool.scheduled.concurrency_limit == 1 && prefect_work_pool.local[0].concurrency_limit == 1
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
    error_message = "alerts in flows/automations.yaml is the block `alerts`."
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
      actions = [{ type = "send-notification", block_document_id = "slack/ops", subject = "s", body = "b" }]
    }]
  }

  expect_failures = [prefect_automation.this]
}

run "without_the_second_pool_there_is_one" {
  command = plan

  module {
    source = "./prefect"
  }

  variables {
    runs_on    = "managed"
    local_pool = false
  }

  assert {
    condition     = length(prefect_work_pool.local) == 0 && prefect_work_pool.scheduled.type == "prefect:managed"
    error_message = "Prefect's free plan has one pool of its own type."
  }
}

run "a_run_on_fargate_is_started_from_terraforms_definition" {
  command = apply

  module {
    source = "./prefect"
  }

  variables {
    runs_on = "ecs"
    runs_on_ecs = {
      task_definition = "arn:aws:ecs:eu-central-1:123456789012:task-definition/rfm-churn-dev-runs:7"
      cluster         = "arn:aws:ecs:eu-central-1:123456789012:cluster/rfm-churn-dev"
      push_role       = "arn:aws:iam::123456789012:role/rfm-churn-dev-push"
      region          = "eu-central-1"
      subnets         = ["subnet-1"]
      security_group  = "sg-1"
    }
  }

  assert {
    condition     = prefect_work_pool.scheduled.type == "ecs:push"
    error_message = "Prefect Cloud starts the tasks: there is no worker."
  }

  assert {
    condition     = jsondecode(prefect_work_pool.scheduled.base_job_template).job_configuration.task_run_request.taskDefinition == var.runs_on_ecs.task_definition
    error_message = "Without a definition Prefect would register one of its own, with 2 GB."
  }

  assert {
    condition     = !strcontains(prefect_work_pool.scheduled.base_job_template, "access_key")
    error_message = "The role is taken on by OpenID Connect: there is to be no key."
  }
}

run "an_e_mail_is_another_block_of_the_same_name" {
  command = plan

  module {
    source = "./prefect"
  }

  variables {
    alerts      = { to = "email", sender = "runs@example.com", recipients = ["data@example.com"] }
    alerts_form = null
  }

  assert {
    condition     = prefect_block.alerts.type_slug == "sendgrid-email" && prefect_block.alerts.name == "alerts"
    error_message = "An e-mail goes by SendGrid."
  }
}
