# The rules of the Airbyte module, on a provider that is made up: no workspace and no network are needed.

mock_provider "airbyte" {}

variables {
  workspace_id     = "00000000-0000-4000-8000-000000000001"
  manifests        = "../airbyte"
  settings         = { TOKEN = "with \"quotes\" and \\ and $" }
  files            = {}
  file_credentials = {}
  snowflake = {
    account = "ORG-SHOP", user = "U", role = "R", warehouse = "W", database = "D", schema = "AIRBYTE_INTERNAL"
  }
  snowflake_private_key            = "secret_coordinate::loader"
  snowflake_private_key_passphrase = null
  connections = {
    crm = {
      description = "A source with an API."
      connector   = "declarative"
      manifest    = "hubspot.yaml"
      config = {
        url         = "$${URL:-https://api.example.com/v1?a=1&b=<2>}"
        since       = "$${SINCE:-}"
        credentials = { token = "$${TOKEN}" }
        page        = 100
      }
      streams = {
        people = { sync_mode = "incremental_deduped_history", primary_key = ["id", "site"], cursor = "changed_at" }
      }
    }
    till = {
      description = "What the tills export."
      connector   = "csv"
      streams     = { order_lines = { sync_mode = "full_refresh_overwrite" } }
    }
  }
}

run "settings_are_filled_in_as_on_the_laptop" {
  command = plan

  module {
    source = "./airbyte"
  }

  assert {
    condition = nonsensitive(jsondecode(airbyte_source.declarative["crm"].configuration)) == {
      url         = "https://api.example.com/v1?a=1&b=<2>"
      since       = ""
      credentials = { token = "with \"quotes\" and \\ and $" }
      page        = 100
    }
    error_message = "$${NAME} is a setting, $${NAME:-default} one that may be left out; everything else stays as it is."
  }
}

run "a_setting_that_is_missing_is_named" {
  command = plan

  module {
    source = "./airbyte"
  }

  variables {
    settings = { URL = "https://other.example.com" }
  }

  expect_failures = [airbyte_source.declarative]
}

run "each_entry_loads_its_own_schema_and_waits_to_be_told" {
  command = plan

  module {
    source = "./airbyte"
  }

  variables {
    files = { till = { order_lines = { url = "https://files.example.com/till.csv" } } }
  }

  assert {
    condition     = { for name, connection in airbyte_connection.this : name => connection.namespace_format } == { crm = "raw_crm", till = "raw_till" }
    error_message = "The flows look for each source's tables in raw_<entry>."
  }

  assert {
    condition     = alltrue([for connection in values(airbyte_connection.this) : connection.schedule.schedule_type == "manual"])
    error_message = "A schedule of Airbyte's own would sync beside the run that waits for a sync."
  }

  assert {
    condition     = one(airbyte_connection.this["crm"].configurations.streams).primary_key == tolist([tolist(["id"]), tolist(["site"])])
    error_message = "A key of two columns is two paths."
  }
}

run "a_file_that_airbyte_does_not_fetch_has_no_connection" {
  command = plan

  module {
    source = "./airbyte"
  }

  assert {
    condition     = keys(airbyte_connection.this) == ["crm"]
    error_message = "Without an address in `files`, `make run ORDERS=…` brings the file."
  }
}
