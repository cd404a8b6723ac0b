# Which Terraform and which providers. Each provider stays within the minor version that the HCL was checked against.
terraform {
  required_version = ">= 1.11" # write-only arguments: secrets go to Prefect and stay out of the state

  required_providers {
    snowflake = {
      source  = "snowflakedb/snowflake"
      version = "~> 2.22.0"
    }
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.69.1"
    }
    prefect = {
      source  = "PrefectHQ/prefect"
      version = "~> 3.4.1"
    }
    airbyte = {
      source  = "airbytehq/airbyte"
      version = "~> 1.2.0"
    }
  }
}
