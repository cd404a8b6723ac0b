terraform {
  required_providers {
    airbyte = { source = "airbytehq/airbyte" }
  }
}
