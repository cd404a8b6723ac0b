# The rules of the Snowflake module, on a provider that is made up: no account and no network are needed.

mock_provider "snowflake" {
  mock_resource "snowflake_api_integration_amazon_api_gateway" {
    defaults = {
      describe_output = [{
        allowed_prefixes     = []
        api_aws_external_id  = "EXAMPLE_SFCRole=1_external"
        api_aws_iam_user_arn = "arn:aws:iam::999999999999:user/snowflake"
        api_aws_role_arn     = ""
        api_key              = ""
        api_provider         = ""
        blocked_prefixes     = []
        comment              = ""
        enabled              = true
      }]
    }
  }
}

variables {
  name        = "rfm-churn"
  environment = "dev"
  tags        = {}
  database    = "shop_dev"
  sources     = ["hubspot", "my_shop"]
  # as long as a key of 2048 bits, and nobody's
  public_keys = {
    for purpose in ["loader", "transformer", "scorer", "reporter"] :
    purpose => "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOC${join("", [for _ in range(60) : "${purpose}A"])}\nIDAQAB==\n-----END PUBLIC KEY-----\n"
  }
  external_function = {
    url      = "https://abc123.execute-api.eu-central-1.amazonaws.com/dev"
    role_arn = "arn:aws:iam::123456789012:role/rfm-churn-dev-snowflake"
  }
}

run "warehouses_are_small_and_fall_asleep" {
  module {
    source = "./snowflake"
  }

  assert {
    condition     = length(snowflake_warehouse.purpose) == 4
    error_message = "There are to be four warehouses: load, transform, sink and report."
  }

  assert {
    condition = alltrue([
      for warehouse in snowflake_warehouse.purpose :
      warehouse.warehouse_size == "XSMALL" && warehouse.auto_suspend == 60 && warehouse.auto_resume == "true" && warehouse.initially_suspended
    ])
    error_message = "A warehouse is larger than XSMALL, or does not suspend after 60 seconds."
  }

  assert {
    condition     = alltrue([for warehouse in snowflake_warehouse.purpose : warehouse.statement_timeout_in_seconds <= 7200])
    error_message = "A statement may run for longer than two hours."
  }

  assert {
    condition = alltrue([
      for purpose, monitor in snowflake_resource_monitor.purpose :
      snowflake_warehouse.purpose[purpose].resource_monitor == monitor.fully_qualified_name
      && monitor.frequency == (purpose == "sink" ? "WEEKLY" : "MONTHLY") && length(monitor.notify_triggers) > 0 && monitor.suspend_trigger <= 100
    ])
    error_message = "A warehouse has no quota that notifies and suspends, of a month, or of a week for the sink, whose messages wait for two."
  }
}

run "roles_have_no_right_that_they_do_not_need" {
  module {
    source = "./snowflake"
  }

  assert {
    condition = alltrue(flatten([
      for grants in [
        snowflake_grant_privileges_to_account_role.database, snowflake_grant_privileges_to_account_role.warehouse,
        snowflake_grant_privileges_to_account_role.schema, snowflake_grant_privileges_to_account_role.future,
        snowflake_grant_privileges_to_account_role.stage,
      ] :
      [
        for grant in grants :
        grant.all_privileges != true && grant.with_grant_option != true && grant.on_account != true
        && length(setintersection(grant.privileges, ["ALL", "ALL PRIVILEGES", "OWNERSHIP", "MANAGE GRANTS", "CREATE SCHEMA", "MODIFY", "MONITOR"])) == 0
      ]
    ]))
    error_message = "A role has all privileges, ownership, the right to pass a right on, or one to change the database itself."
  }

  assert {
    condition = alltrue([
      for name, grant in snowflake_grant_privileges_to_account_role.schema :
      startswith(name, "loader ") ? can(regex("^loader (RAW_|AIRBYTE_INTERNAL)", name)) : true
    ])
    error_message = "The loader may use a schema beyond raw_<source> and Airbyte's own."
  }

  assert {
    condition     = [for name, grant in snowflake_grant_privileges_to_account_role.schema : grant.privileges if startswith(name, "scorer ")] == [toset(["USAGE"])]
    error_message = "The scorer may do more with schemas than use one."
  }

  assert {
    condition     = alltrue([for name, grant in snowflake_grant_privileges_to_account_role.future : !startswith(name, "scorer ")])
    error_message = "The scorer has rights on tables that are yet to come."
  }

  assert {
    condition = (
      snowflake_grant_privileges_to_account_role.predictions.privileges == toset(["SELECT", "INSERT"])
      && snowflake_grant_privileges_to_account_role.predictions.on_schema_object[0].object_name == snowflake_table.churn_predictions.fully_qualified_name
    )
    error_message = "The scorer is to read and add to marts.churn_predictions, and nothing else."
  }

  assert {
    condition = alltrue([
      for name, grant in snowflake_grant_privileges_to_account_role.future :
      startswith(name, "reporter ") ? startswith(name, "reporter MARTS ") && grant.privileges == toset(["SELECT"]) : true
    ])
    error_message = "The reporter may do more than read the marts."
  }

  assert {
    condition     = snowflake_grant_ownership.churn_predictions.outbound_privileges == "COPY" && snowflake_grant_ownership.churn_predictions.account_role_name == "RFM_CHURN_DEV_TRANSFORMER"
    error_message = "dbt must own marts.churn_predictions, and the rights of others must survive that."
  }
}

run "users_are_services_with_keys" {
  module {
    source = "./snowflake"
  }

  assert {
    condition = alltrue([
      for user in snowflake_service_user.purpose :
      length(user.rsa_public_key) >= 360 && !can(regex("\\s|-----", user.rsa_public_key)) && user.default_secondary_roles_option == "NONE"
    ])
    error_message = "A user has no key in one line, or takes on the rights of all its roles."
  }

  assert {
    condition     = alltrue([for grant in snowflake_grant_account_role.to_user : endswith(grant.role_name, upper(split("_", grant.user_name)[3]))])
    error_message = "A user has a role that is not its own."
  }

  assert {
    condition     = length(snowflake_network_policy.service_users) == 0
    error_message = "Without addresses there is to be no network policy."
  }
}

run "a_network_policy_binds_those_who_have_an_address" {
  module {
    source = "./snowflake"
  }

  variables {
    network_allowed_ips = ["203.0.113.0/24"]
  }

  assert {
    condition     = snowflake_service_user.purpose["loader"].network_policy == "RFM_CHURN_DEV" && snowflake_service_user.purpose["scorer"].network_policy != "RFM_CHURN_DEV"
    error_message = "The network policy is to bind the loader, and not the scorer, which has no fixed address."
  }
}

run "addresses_and_raw_values_are_masked" {
  module {
    source = "./snowflake"
  }

  variables {
    pii_roles = ["crm_team"]
  }

  assert {
    condition = length(snowflake_masking_policy.personal_data) == 6 && alltrue([
      for policy in snowflake_masking_policy.personal_data :
      startswith(policy.body, "case when current_role() in ('CRM_TEAM', 'RFM_CHURN_DEV_LOADER', 'RFM_CHURN_DEV_TRANSFORMER') ")
    ])
    error_message = "Others than loader, transformer and pii_roles see personal data, or one of them does not."
  }

  assert {
    condition = alltrue([
      for mask, tag in snowflake_tag.personal_data :
      tag.masking_policies == toset([
        for type in mask == "everything" ? ["VARCHAR", "VARIANT", "OBJECT", "ARRAY"] : ["VARCHAR", "VARIANT"] :
        snowflake_masking_policy.personal_data["${mask} ${type}"].fully_qualified_name
      ])
    ])
    error_message = "A masking policy is not on its tag."
  }

  assert {
    condition = snowflake_tag_association.personal_data["everything"].object_identifiers == toset([
      for name, schema in snowflake_schema.all : schema.fully_qualified_name if startswith(name, "RAW") || name == "AIRBYTE_INTERNAL"
    ])
    error_message = "A schema with values as they came shows them."
  }

  assert {
    condition = setunion([
      for association in snowflake_tag_association.personal_data : association.object_identifiers
    ]...) == toset([for name, schema in snowflake_schema.all : schema.fully_qualified_name if name != "GOVERNANCE"])
    error_message = "A schema with data is not tagged, so nothing in it is masked."
  }
}

run "snowflake_calls_one_resource_of_one_stage" {
  module {
    source = "./snowflake"
  }

  assert {
    condition     = snowflake_api_integration_amazon_api_gateway.churn_api[0].api_allowed_prefixes == tolist(["https://abc123.execute-api.eu-central-1.amazonaws.com/dev/snowflake"])
    error_message = "The integration allows more than the one resource."
  }

  assert {
    condition     = snowflake_grant_privileges_to_account_role.predict_churn[0].on_schema_object[0].object_name == snowflake_external_function.predict_churn[0].fully_qualified_name
    error_message = "dbt calls marts.predict_churn(variant); the transformer must be allowed to."
  }

  assert {
    condition     = output.api_user_arn == "arn:aws:iam::999999999999:user/snowflake" && output.api_external_id == "EXAMPLE_SFCRole=1_external"
    error_message = "AWS is not told whom to trust."
  }
}

run "no_api_no_external_function" {
  command = plan

  module {
    source = "./snowflake"
  }

  variables {
    external_function = null
  }

  assert {
    condition     = length(snowflake_external_function.predict_churn) == 0 && length(snowflake_api_integration_amazon_api_gateway.churn_api) == 0 && output.api_user_arn == null
    error_message = "Where models score inside Snowflake, nothing may call out of it."
  }
}

run "prod_keeps_its_data" {
  command = plan

  module {
    source = "./snowflake"
  }

  variables {
    environment = "prod"
    database    = "shop"
  }

  assert {
    condition     = toset(keys(terraform_data.production_data)) == setunion(["database", "churn_predictions", "name", "stage loads", "stage models"], [for name in keys(snowflake_schema.all) : "schema ${name}"])
    error_message = "Something in prod that holds data can be destroyed by mistake."
  }

  assert {
    condition     = snowflake_database.main.data_retention_time_in_days == 7
    error_message = "Prod is to keep a week of Time Travel."
  }
}

run "dev_can_be_thrown_away" {
  command = plan

  module {
    source = "./snowflake"
  }

  assert {
    condition     = length(terraform_data.production_data) == 0 && snowflake_database.main.data_retention_time_in_days == 1
    error_message = "Dev is to be destroyed by one command."
  }
}

run "a_standard_account_has_neither_tags_nor_masking" {
  command = plan

  module {
    source = "./snowflake"
  }

  variables {
    edition = "standard"
  }

  assert {
    condition     = length(snowflake_masking_policy.personal_data) + length(snowflake_tag.personal_data) + length(snowflake_tag.purpose) + length(snowflake_tag_association.personal_data) == 0
    error_message = "A standard account refuses tags and policies."
  }
}

run "bad_input_is_refused" {
  command = plan

  module {
    source = "./snowflake"
  }

  variables {
    name        = "RFM Churn"
    environment = "production"
    database    = "my shop"
    sources     = ["My Shop"]
    public_keys = {
      loader = "-----BEGIN PRIVATE KEY-----"
    }
    credit_quotas       = { load = 0.5, transform = 1, sink = 1, report = 1 }
    network_allowed_ips = ["0.0.0.0/0", "home"]
    external_function   = { url = "http://here", role_arn = "role" }
    pii_roles           = ["a'; drop"]
    readers             = ["public"]
  }

  expect_failures = [
    var.name, var.environment, var.database, var.sources, var.public_keys, var.credit_quotas, var.network_allowed_ips,
    var.external_function, var.pii_roles, var.readers,
  ]
}

run "unmasked_prod_must_be_said" {
  command = plan

  module {
    source = "./snowflake"
  }

  variables {
    environment = "prod"
    edition     = "standard"
  }

  expect_failures = [var.edition]
}

run "time_travel_is_the_editions" {
  command = plan

  module {
    source = "./snowflake"
  }

  variables {
    edition             = "standard"
    data_retention_days = 7
  }

  expect_failures = [var.data_retention_days]
}
