terraform {
  # variables are validated against each other
  required_version = ">= 1.9, < 2.0"

  required_providers {
    snowflake = {
      source = "snowflakedb/snowflake"
      # minor releases of this provider change preview resources, of which four are used here
      version = "~> 2.22.0"
    }
  }
}
