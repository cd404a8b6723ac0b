# Every secret, best given in the environment as TF_VAR_<name>. The ephemeral ones go through Terraform and are kept
# nowhere, so anyone who applies a saved plan gives them again. Those that Airbyte's provider can only take as ordinary
# values are in the state, unless they are written as references into a store that Airbyte knows, `secret_coordinate::NAME`: so
# the state must be encrypted (backend.tf.example).

variable "snowflake_private_key" {
  description = "PEM key of Terraform's user in Snowflake."
  type        = string
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = can(regex("-----BEGIN (ENCRYPTED )?PRIVATE KEY-----", var.snowflake_private_key))
    error_message = "snowflake_private_key: write a PKCS#8 key in PEM, from -----BEGIN (ENCRYPTED) PRIVATE KEY----- on: export TF_VAR_snowflake_private_key=\"$(cat key.p8)\"."
  }
}

variable "snowflake_private_key_passphrase" {
  description = "If that key is encrypted."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
}

variable "transformer_private_key" {
  description = "PEM key of the user transformer, with which the runs work. Goes to a Prefect block."
  type        = string
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = can(regex("-----BEGIN (ENCRYPTED )?PRIVATE KEY-----", var.transformer_private_key))
    error_message = "transformer_private_key: write a PKCS#8 key in PEM, from -----BEGIN (ENCRYPTED) PRIVATE KEY----- on: export TF_VAR_transformer_private_key=\"$(cat transformer.p8)\"."
  }
}

variable "transformer_private_key_passphrase" {
  description = "If that key is encrypted."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
}

variable "prefect_api_key" {
  description = "For Prefect Cloud. null: one's own server without a key."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
}

variable "alerts_secret" {
  description = "Of alerts.to: the webhook's address, PagerDuty's integration key, or SendGrid's API key for e-mail."
  type        = string
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = contains(["pagerduty", "email"], var.alerts.to) || can(regex("^(https://|http://(127\\.0\\.0\\.1|localhost)[:/])", var.alerts_secret))
    error_message = "alerts_secret: write the https:// address of a webhook."
  }

  validation {
    condition     = var.alerts.to != "pagerduty" || can(regex("^[A-Za-z0-9]{32}$", var.alerts_secret))
    error_message = "alerts_secret: write the integration key of a PagerDuty service, 32 letters and digits (Events API v2), not an address."
  }
}

variable "airbyte_client_id" {
  description = "Of an application in Airbyte (User settings, Applications)."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = var.airbyte == null || var.airbyte_client_id != null
    error_message = "airbyte_client_id: write the client id of an application in Airbyte (User settings, Applications)."
  }
}

variable "airbyte_client_secret" {
  description = "Of the same application."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = var.airbyte == null || var.airbyte_client_secret != null
    error_message = "airbyte_client_secret: write the client secret of the same application in Airbyte."
  }
}

variable "tableau_token_name" {
  description = "Of a personal access token in Tableau (My Account Settings)."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = var.tableau == null || var.tableau_token_name != null
    error_message = "tableau_token_name: write the name of a personal access token in Tableau (My Account Settings)."
  }
}

variable "tableau_token_secret" {
  description = "Of the same token."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = var.tableau == null || var.tableau_token_secret != null
    error_message = "tableau_token_secret: write the secret of the same token in Tableau."
  }
}

variable "hubspot_activation_token" {
  description = "Of a private app in HubSpot that may read and write contacts, contact properties and lists."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = var.hubspot == null || var.hubspot_activation_token != null
    error_message = "hubspot_activation_token: write the token of a private app in HubSpot that may read and write contacts, contact properties and lists."
  }
}

variable "secrets_version" {
  description = "Raise it by one when one of the above has changed: Terraform does not see them, and would not write them again."
  type        = number
  default     = 1

  validation {
    condition     = var.secrets_version >= 1 && floor(var.secrets_version) == var.secrets_version
    error_message = "secrets_version: write a whole number from 1 on."
  }
}

variable "loader_private_key" {
  description = "PEM key of the user loader, for Airbyte's destination; or secret_coordinate::NAME."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.airbyte == null || can(regex("^secret_coordinate::.+|-----BEGIN (ENCRYPTED )?PRIVATE KEY-----", var.loader_private_key))
    error_message = "loader_private_key: write secret_coordinate::NAME, the name in the secret store of your Airbyte, or a PKCS#8 key in PEM."
  }
}

variable "loader_private_key_passphrase" {
  description = "If that key is encrypted; or secret_coordinate::NAME."
  type        = string
  default     = null
  sensitive   = true
}

variable "source_settings" {
  description = "Values of the variables that airbyte/connections.yml names, such as { HUBSPOT_ACCESS_TOKEN = \"secret_coordinate::NAME\" }."
  type        = map(string)
  default     = {}
  sensitive   = true
}

variable "source_file_credentials" {
  description = "With what Airbyte opens source_files on S3 (aws_access_key_id, aws_secret_access_key), Google Cloud Storage (service_account_json) or SFTP (user, password); or secret_coordinate::NAME."
  type        = map(string)
  default     = {}
  sensitive   = true

  validation {
    condition = alltrue([
      for scheme, names in { s3 = ["aws_access_key_id", "aws_secret_access_key"], gs = ["service_account_json"], sftp = ["user", "password"] } :
      alltrue([for name in names : lookup(var.source_file_credentials, name, "") != ""])
      if anytrue(flatten([for streams in values(var.source_files) : [for file in values(streams) : startswith(file.url, "${scheme}://")]]))
    ])
    error_message = "source_file_credentials: files on s3:// need aws_access_key_id and aws_secret_access_key, on gs:// service_account_json, on sftp:// user and password."
  }
}
