variable "workspace_id" {
  description = "The workspace in Airbyte; dev and prod have one each."
  type        = string
}

variable "connections" {
  description = "The entries of airbyte/connections.yml that this environment syncs, by name."
  type        = any
}

variable "manifests" {
  description = "The folder of the declarative manifests that the entries name."
  type        = string
}

variable "settings" {
  description = "Values of the variables that the entries' `config` names, such as HUBSPOT_ACCESS_TOKEN."
  type        = map(string)
  sensitive   = true
}

variable "files" {
  description = "Where Airbyte finds the file of an entry with `connector: csv`, by the entry's name and its stream."
  type = map(map(object({
    url            = string
    reader_options = optional(string)
  })))
}

variable "file_credentials" {
  description = "With what files on S3, Google Cloud Storage or SFTP are opened: aws_access_key_id and aws_secret_access_key; service_account_json; user and password."
  type        = map(string)
  sensitive   = true
}

variable "snowflake" {
  description = "Where Airbyte loads to, and with which user."
  type = object({
    account   = string
    user      = string
    role      = string
    warehouse = string
    database  = string
    schema    = string
  })
}

variable "snowflake_private_key" {
  description = "The loader's key in PEM, or `secret_coordinate::` and its name in a store that Airbyte knows."
  type        = string
  sensitive   = true
}

variable "snowflake_private_key_passphrase" {
  description = "If that key is encrypted."
  type        = string
  sensitive   = true
  nullable    = true
}
