variable "name" {
  description = "What every account-wide name begins with, as in rfm-churn."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "name: write 2 to 31 lower-case letters, digits and hyphens, a letter first, such as rfm-churn."
  }
}

variable "environment" {
  description = "dev or prod; prod keeps its data when it is destroyed by mistake."
  type        = string

  validation {
    condition     = contains(["dev", "prod"], var.environment)
    error_message = "environment: write dev or prod."
  }
}

variable "tags" {
  description = "Labels of the whole environment. Here only cost_center is used, as the value of the tag of that name."
  type        = map(string)
  default     = {}
}

variable "database" {
  description = "The database of one shop, which SNOWFLAKE_DATABASE names. Small letters become capitals."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9_]{0,99}$", var.database))
    error_message = "database: write letters, digits and underscores, a letter first, such as shop_prod; each shop and each environment needs one of its own."
  }
}

variable "sources" {
  description = "Connections of airbyte/connections.yml that are brought here; each has a schema raw_<source>."
  type        = set(string)

  validation {
    condition     = length(var.sources) > 0 && alltrue([for source in var.sources : can(regex("^[a-z][a-z0-9_]{0,60}$", source))])
    error_message = "sources: write at least one name of airbyte/connections.yml, in lower-case letters, digits and underscores, such as [\"hubspot\"]."
  }
}

variable "public_keys" {
  description = "The RSA public key of each service user, in PEM, with or without its BEGIN and END lines. Not a secret."
  type        = map(string)

  validation {
    condition     = toset(keys(var.public_keys)) == toset(["loader", "transformer", "scorer", "reporter"])
    error_message = "public_keys: write one key each for loader, transformer, scorer and reporter, and nothing else."
  }

  validation {
    # without the value in the message: it may be the private key
    condition     = alltrue([for key in values(var.public_keys) : !strcontains(key, "PRIVATE")])
    error_message = "public_keys: that is a private key. Keep it to yourself, and write what `openssl rsa -in key.p8 -pubout` prints."
  }

  validation {
    condition     = alltrue([for key in values(var.public_keys) : can(regex(local.public_key, key))])
    error_message = "public_keys: write RSA keys of 2048 bits or more, as `openssl rsa -in key.p8 -pubout` prints them."
  }
}

variable "next_public_keys" {
  description = "Second keys, while keys are being changed: both are valid until the old one is taken away."
  type        = map(string)
  default     = {}

  validation {
    condition = alltrue([
      for purpose, key in var.next_public_keys : contains(["loader", "transformer", "scorer", "reporter"], purpose) &&
      can(regex(local.public_key, key))
    ])
    error_message = "next_public_keys: write public RSA keys, as `openssl rsa -in key.p8 -pubout` prints them, for loader, transformer, scorer or reporter."
  }
}

variable "credit_quotas" {
  description = "Credits that each warehouse may use a month, the sink a week; at the quota it is suspended."
  type        = map(number)
  default     = { load = 20, transform = 15, sink = 3, report = 10 }

  validation {
    condition     = toset(keys(var.credit_quotas)) == toset(["load", "transform", "sink", "report"])
    error_message = "credit_quotas: write a number of credits each for load, transform, sink and report."
  }

  validation {
    condition     = alltrue([for quota in values(var.credit_quotas) : quota >= 1 && quota == floor(quota)])
    error_message = "credit_quotas: write whole numbers from 1 on; what a run costs is in docs/snowflake-cost.md."
  }
}

variable "warehouse_sizes" {
  description = "Of each warehouse; the next size costs twice as much an hour, and a long run takes about half of the time."
  type        = map(string)
  default     = { load = "XSMALL", transform = "XSMALL", sink = "XSMALL", report = "XSMALL" }

  validation {
    condition     = toset(keys(var.warehouse_sizes)) == toset(["load", "transform", "sink", "report"])
    error_message = "warehouse_sizes: write a size each for load, transform, sink and report."
  }

  validation {
    condition     = alltrue([for size in values(var.warehouse_sizes) : contains(["XSMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE"], size)])
    error_message = "warehouse_sizes: write XSMALL, SMALL, MEDIUM, LARGE or XLARGE; which a shop needs is in docs/snowflake-cost.md."
  }
}

variable "notify_users" {
  description = "Snowflake users, with a verified e-mail address, who are notified when a quota is nearly used up."
  type        = list(string)
  default     = []
}

variable "network_allowed_ips" {
  description = "Addresses from which the service users may come; none: from everywhere, with their key."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.network_allowed_ips : can(cidrhost(strcontains(address, "/") ? address : "${address}/32", 0))])
    error_message = "network_allowed_ips: write IPv4 addresses or ranges, such as 203.0.113.7 or 203.0.113.0/24."
  }

  validation {
    condition     = !contains(var.network_allowed_ips, "0.0.0.0/0")
    error_message = "network_allowed_ips: 0.0.0.0/0 is every address; leave the list empty instead, which means the same."
  }
}

variable "network_policy_users" {
  description = "The users that network_allowed_ips binds. Not the scorer, unless its Lambda goes out through a fixed address."
  type        = set(string)
  default     = ["loader", "transformer", "reporter"]

  validation {
    condition     = length(setsubtract(var.network_policy_users, ["loader", "transformer", "scorer", "reporter"])) == 0
    error_message = "network_policy_users: write some of loader, transformer, scorer and reporter."
  }
}

variable "external_function" {
  description = "The stage of the REST API that scores, and the role that Snowflake takes on to call it; null: models score inside Snowflake (SNOWFLAKE_SCORING=udf)."
  type        = object({ url = string, role_arn = string })
  default     = null

  validation {
    condition     = var.external_function == null || startswith(try(var.external_function.url, "https://"), "https://")
    error_message = "external_function.url: write the address of the API's stage, https://….execute-api.….amazonaws.com/prod."
  }

  validation {
    condition     = var.external_function == null || can(regex("^arn:aws:iam::[0-9]{12}:role/.+$", try(var.external_function.role_arn, "")))
    error_message = "external_function.role_arn: write the ARN of an IAM role, arn:aws:iam::<account>:role/<name>."
  }
}

variable "pii_roles" {
  description = "Roles other than loader and transformer that see e-mail addresses and whatever else is masked."
  type        = set(string)
  default     = []

  validation {
    # it goes into the text of the policies
    condition     = alltrue([for role in var.pii_roles : can(regex("^[A-Za-z][A-Za-z0-9_]*$", role))])
    error_message = "pii_roles: write names of roles in letters, digits and underscores."
  }
}

variable "readers" {
  description = "Existing roles other than the reporter that may read the marts; also dbt's variable `readers`."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for role in var.readers : can(regex("^[A-Za-z][A-Za-z0-9_]*$", role)) && upper(role) != "PUBLIC"])
    error_message = "readers: write names of roles in letters, digits and underscores; PUBLIC is everyone, and not allowed."
  }
}

variable "edition" {
  description = "The account's edition. A standard one has no masking, no tags and one day of Time Travel."
  type        = string
  default     = "enterprise"

  validation {
    condition     = contains(["standard", "enterprise"], var.edition)
    error_message = "edition: write standard or enterprise (also for business critical)."
  }

  validation {
    condition     = var.edition == "enterprise" || var.environment == "dev" || var.unmasked_personal_data
    error_message = "edition: a standard account masks nothing, so all readers of prod's marts see e-mail addresses. If that is intended, set unmasked_personal_data = true."
  }
}

variable "unmasked_personal_data" {
  description = "true: readers of a standard account's prod see e-mail addresses, and that is intended."
  type        = bool
  default     = false
}

variable "data_retention_days" {
  description = "Days of Time Travel; null: 7 in prod, 1 in dev."
  type        = number
  default     = null

  validation {
    condition     = var.data_retention_days == null || (coalesce(var.data_retention_days, 0) >= 0 && coalesce(var.data_retention_days, 0) <= (var.edition == "standard" ? 1 : 90))
    error_message = "data_retention_days: write 0 to 90; a standard account takes 0 or 1."
  }
}

variable "parent_role" {
  description = "The role above ours, so that administrators see what they own."
  type        = string
  default     = "SYSADMIN"
}
