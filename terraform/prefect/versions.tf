terraform {
  required_providers {
    prefect = { source = "PrefectHQ/prefect" }
  }
}
