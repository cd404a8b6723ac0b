variable "name" {
  description = "What pools, blocks and the limit are called: as in prefect.yaml. dev and prod have a workspace or server each."
  type        = string
}

variable "runs_on" {
  description = "What runs the flows: managed (Prefect Cloud's machines), ecs (Fargate, started by Prefect Cloud) or machine (a worker of one's own)."
  type        = string
}

variable "runs_on_ecs" {
  description = "With ecs: what a task is started from."
  type = object({
    task_definition = string
    cluster         = string
    push_role       = string
    region          = string
    subnets         = list(string)
    security_group  = string
  })
  default = null
}

variable "local_pool" {
  description = "Whether there is a second pool, for a machine that has the code and the environment."
  type        = bool
}

variable "snowflake" {
  description = "Where the runs work: the content of the connector block except the key."
  type = object({
    account   = string
    user      = string
    role      = string
    warehouse = string
    database  = string
  })
}

variable "snowflake_private_key" {
  description = "PEM key of the user of the runs. Goes to the block and nowhere else."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "snowflake_private_key_passphrase" {
  description = "If that key is encrypted."
  type        = string
  sensitive   = true
  ephemeral   = true
  nullable    = true
}

variable "alerts" {
  description = "Who gets alerts; sender and recipients of an e-mail."
  type        = object({ to = string, sender = optional(string), recipients = optional(list(string), []) })
}

variable "alerts_form" {
  description = "What that receiver takes: its entry of flows/alerts.yaml; null: an e-mail."
  type        = any
}

variable "alerts_secret" {
  description = "Its address or key. Anyone who has such an address can post too, so it is a secret."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "has_airbyte" {
  description = "Whether the runs start Airbyte's syncs, and need its credentials for that."
  type        = bool
}

variable "airbyte_client_id" {
  description = "Of an application in Airbyte."
  type        = string
  sensitive   = true
  ephemeral   = true
  nullable    = true
}

variable "airbyte_client_secret" {
  description = "Of the same application."
  type        = string
  sensitive   = true
  ephemeral   = true
  nullable    = true
}

variable "has_tableau" {
  description = "Whether the runs publish to Tableau, and need a token for that."
  type        = bool
}

variable "tableau_token_name" {
  description = "Of a personal access token in Tableau."
  type        = string
  sensitive   = true
  ephemeral   = true
  nullable    = true
}

variable "tableau_token_secret" {
  description = "Of the same token."
  type        = string
  sensitive   = true
  ephemeral   = true
  nullable    = true
}

variable "has_hubspot" {
  description = "Whether campaigns and segments are sent to HubSpot, and need a token for that."
  type        = bool
}

variable "hubspot_activation_token" {
  description = "Of a private app in HubSpot."
  type        = string
  sensitive   = true
  ephemeral   = true
  nullable    = true
}

variable "secrets_version" {
  description = "A number to raise when a secret has changed: Terraform does not see the secrets themselves."
  type        = number
}

variable "automations" {
  description = "The content of flows/automations.yaml."
  type        = any
}
