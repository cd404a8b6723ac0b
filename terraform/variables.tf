# Everything that dev and prod differ in: dev.tfvars and prod.tfvars. Secrets are in secrets.tf.

variable "name" {
  description = "What everything is called; the environment's name is put behind it where both share an account."
  type        = string
  default     = "rfm-churn"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}[a-z0-9]$", var.name))
    error_message = "name: write 3 to 21 lower-case letters, digits and hyphens, a letter first, such as rfm-churn."
  }
}

variable "environment" {
  description = "dev or prod. prod's data is protected: docs/deploy.md says how to remove it anyway."
  type        = string

  validation {
    condition     = contains(["dev", "prod"], var.environment)
    error_message = "environment: write dev or prod, best as -var-file=dev.tfvars or -var-file=prod.tfvars."
  }
}

variable "tags" {
  description = "Labels for everything in AWS, in addition to project, environment and managed_by; `cost_center` also in Snowflake."
  type        = map(string)
  default     = {}
}

# What is synced and scored

variable "source_names" {
  description = "Entries of airbyte/connections.yml whose orders the runs read together: SOURCE."
  type        = set(string)

  validation {
    condition     = length(var.source_names) > 0 && length(setsubtract(var.source_names, keys(local.known_connections))) == 0
    error_message = "source_names: write one or more entries of airbyte/connections.yml. It has: ${join(", ", keys(local.known_connections))}."
  }

  validation {
    condition     = alltrue([for name in var.source_names : can(local.known_connections[name].order_lines) if contains(keys(local.known_connections), name)])
    error_message = "source_names: every entry must have `order_lines` in airbyte/connections.yml; contacts come by contacts_source, products by products_source."
  }

  validation {
    condition     = !contains(var.source_names, "simulated_shop")
    error_message = "source_names: simulated_shop makes its orders on the laptop; write an entry that a shop's orders come from."
  }
}

variable "products_source" {
  description = "The entry of airbyte/connections.yml that brings a table of products: PRODUCTS. null: none does."
  type        = string
  default     = null

  validation {
    condition     = var.products_source == null || can(local.known_connections[var.products_source].products)
    error_message = "products_source: write an entry of airbyte/connections.yml that has `products`, such as products_csv, or leave it out."
  }
}

variable "contacts_source" {
  description = "The entry of airbyte/connections.yml that brings contacts: CONTACTS. null: none does."
  type        = string
  default     = null

  validation {
    condition     = var.contacts_source == null || can(local.known_connections[var.contacts_source].contacts)
    error_message = "contacts_source: write an entry of airbyte/connections.yml that has `contacts`, such as hubspot, or leave it out."
  }
}

variable "source_files" {
  description = "For entries with `connector: csv`: by stream, the address at which Airbyte fetches the file, https://, s3://, gs:// or sftp://. It is read as text. An entry without one is brought by `make run ORDERS=…`."
  type = map(map(object({
    url            = string
    reader_options = optional(string)
  })))
  default = {}

  validation {
    condition = alltrue(flatten([
      for name, streams in var.source_files : [for stream in keys(streams) : can(local.known_connections[name].streams[stream])]
    ]))
    error_message = "source_files: write { <entry of airbyte/connections.yml> = { <its stream> = { url = \"https://…\" } } }."
  }

  validation {
    condition     = alltrue(flatten([for streams in values(var.source_files) : [for file in values(streams) : can(regex("^(https|s3|gs|sftp)://[^@]+$", file.url))]]))
    error_message = "source_files: every url must begin with https://, s3://, gs:// or sftp://, and contain no user or password: source_file_credentials has them."
  }
}

variable "currency" {
  description = "Reports are in this currency: CURRENCY. null: the orders' own."
  type        = string
  default     = null

  validation {
    condition     = var.currency == null || can(regex("^[A-Z]{3}$", var.currency))
    error_message = "currency: write an ISO code such as EUR, or leave it out."
  }
}

variable "horizon_days" {
  description = "Churn is no purchase in so many days: HORIZON_DAYS. null: found from the shop's own gaps."
  type        = number
  default     = null

  validation {
    condition     = var.horizon_days == null || (try(var.horizon_days >= 7 && var.horizon_days <= 365 && floor(var.horizon_days) == var.horizon_days, false))
    error_message = "horizon_days: write a whole number from 7 to 365, or leave it out."
  }
}

variable "outputs" {
  description = "Where each run's page, list, workbook and dbt files are kept: OUTPUTS, s3://bucket/prefix. null: next to the models. Elsewhere the role of the runs must be able to list, read, write and delete: docs/production.md."
  type        = string
  default     = null

  validation {
    condition     = var.outputs == null || can(regex("^s3://[a-z0-9][a-z0-9.-]+(/.*)?$", var.outputs))
    error_message = "outputs: write s3://bucket/prefix, or leave it out."
  }
}

variable "outputs_kept_days" {
  description = "How long they are kept next to the models. They show customers."
  type        = number
  default     = 90
}

variable "predictions_kept_days" {
  description = "How long predictions are kept: PREDICTIONS_KEPT_DAYS. null: for ever."
  type        = number
  default     = null

  validation {
    condition     = var.predictions_kept_days == null || try(var.predictions_kept_days >= 400 && floor(var.predictions_kept_days) == var.predictions_kept_days, false)
    error_message = "predictions_kept_days: write a whole number from 400 on, or leave it out; a year is needed to see how right they were."
  }
}

variable "old_data" {
  description = "What runs do with old data: STALE_AFTER_DAYS, STOP_SENDING_AFTER_DAYS and SYNC_FAILED (stop or stale). null: their defaults, in docs/production.md."
  type = object({
    stale_after_days        = optional(number)
    stop_sending_after_days = optional(number)
    sync_failed             = optional(string)
  })
  default = {}

  validation {
    condition     = alltrue([for days in [var.old_data.stale_after_days, var.old_data.stop_sending_after_days] : days == null || try(days >= 1 && floor(days) == days, false)])
    error_message = "old_data: write whole numbers of days from 1 on."
  }

  validation {
    condition     = var.old_data.sync_failed == null || try(contains(["stop", "stale"], var.old_data.sync_failed), false)
    error_message = "old_data.sync_failed: write stop or stale."
  }
}

variable "alert_thresholds" {
  description = "From which share on runs warn: a segment's expected loss up in a month (LOSS_UP_ALERT), rejected rows of orders (REJECTED_ALERT). null: their defaults, in docs/production.md."
  type = object({
    loss_up  = optional(number)
    rejected = optional(number)
  })
  default = {}

  validation {
    condition     = alltrue([for share in [var.alert_thresholds.loss_up, var.alert_thresholds.rejected] : share == null || try(share > 0, false)])
    error_message = "alert_thresholds: write shares above 0, such as 0.25."
  }
}

variable "page_link" {
  description = "https://… where people open the page, to which digest and alerts link: PAGE_LINK."
  type        = string
  default     = null

  validation {
    condition     = var.page_link == null || can(regex("^https://", var.page_link))
    error_message = "page_link: write https://…"
  }
}

variable "digest" {
  description = "Who gets the weekly digest, and how: DIGEST_TO and the like, in docs/production.md. Its passwords and webhooks are in the Prefect Secret block that `block` names. null: nobody."
  type = object({
    to            = optional(string)
    from          = optional(string)
    language      = optional(string)
    weekday       = optional(string)
    smtp_host     = optional(string)
    smtp_port     = optional(number)
    smtp_security = optional(string)
    smtp_user     = optional(string)
    block         = optional(string)
  })
  default = null

  validation {
    condition     = try(var.digest.to, null) == null || (try(var.digest.from, null) != null && try(var.digest.smtp_host, null) != null)
    error_message = "digest: `to` needs `from` and `smtp_host` too."
  }
}

variable "repository_url" {
  description = "From where the runs clone this project: REPOSITORY_URL."
  type        = string

  validation {
    condition     = can(regex("^https://[^@/]+/.+\\.git$", var.repository_url))
    error_message = "repository_url: write https://HOST/OWNER/NAME.git, without a token: a private repository's credentials go to a Prefect block."
  }
}

# Snowflake

variable "snowflake" {
  description = "The account, and the user and role with which Terraform works in it."
  type = object({
    organization = string
    account      = string
    user         = string
    role         = optional(string, "ACCOUNTADMIN") # makes integrations and resource monitors
  })

  validation {
    condition     = can(regex("^[A-Za-z0-9_]+$", var.snowflake.organization)) && can(regex("^[A-Za-z0-9_]+$", var.snowflake.account))
    error_message = "snowflake: write organization and account as in the account's URL, https://ORGANIZATION-ACCOUNT.snowflakecomputing.com."
  }
}

variable "database" {
  description = "The database of this environment: SNOWFLAKE_DATABASE."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9_]{0,99}$", var.database))
    error_message = "database: write letters, digits and underscores, a letter first, such as shop_dev; each shop and each environment needs one of its own."
  }
}

variable "edition" {
  description = "The Snowflake account's edition. A standard one has no masking, no tags and one day of Time Travel."
  type        = string
  default     = "enterprise"
}

variable "unmasked_personal_data" {
  description = "true: readers of a standard account's prod see e-mail addresses, and that is intended."
  type        = bool
  default     = false
}

variable "public_keys" {
  description = "Public key of each service user: loader, transformer, scorer, reporter, as `openssl rsa -in key.p8 -pubout` prints it."
  type        = map(string)
}

variable "next_public_keys" {
  description = "Second keys, while keys are being changed: both are valid until the old one is taken away."
  type        = map(string)
  default     = {}
}

variable "credit_quotas" {
  description = "Credits at which a warehouse is suspended: load, transform and report a month, sink a week."
  type        = map(number)
  default     = { load = 20, transform = 15, sink = 3, report = 10 }
}

variable "warehouse_sizes" {
  description = "Sizes of the warehouses load, transform, sink and report, from XSMALL to XLARGE."
  type        = map(string)
  default     = { load = "XSMALL", transform = "XSMALL", sink = "XSMALL", report = "XSMALL" }
}

variable "notify_users" {
  description = "Snowflake users who are notified when a quota is nearly used up."
  type        = list(string)
  default     = []
}

variable "network_allowed_ips" {
  description = "Addresses from which the service users may come; none: from everywhere, with their key."
  type        = list(string)
  default     = []
}

variable "pii_roles" {
  description = "Roles other than loader and transformer that see e-mail addresses and names."
  type        = set(string)
  default     = []
}

variable "readers" {
  description = "Roles other than the reporter that may read the marts."
  type        = set(string)
  default     = []
}

variable "scoring" {
  description = "external_function: Snowflake calls the API in AWS; udf: models score inside Snowflake. SNOWFLAKE_SCORING."
  type        = string
  default     = "external_function"

  validation {
    condition     = contains(["external_function", "udf"], var.scoring)
    error_message = "scoring: write external_function or udf."
  }
}

# Prefect

variable "prefect" {
  description = "The workspace or server of this environment, as PREFECT_API_URL, its plan, and whether there is a second pool for a machine that has the code."
  type = object({
    api_url    = string
    plan       = string
    local_pool = optional(bool, false)
  })

  validation {
    condition     = can(regex("^(https://|http://(127\\.0\\.0\\.1|localhost)[:/]).*/api(/accounts/[^/]+/workspaces/[^/]+)?$", var.prefect.api_url))
    error_message = "prefect.api_url: write https://api.prefect.cloud/api/accounts/…/workspaces/…, or https://HOST/api of one's own server (http only to this machine: secrets go there)."
  }

  validation {
    condition     = contains(["hobby", "starter", "team", "pro", "enterprise", "server"], var.prefect.plan)
    error_message = "prefect.plan: write hobby, starter, team, pro or enterprise, Prefect Cloud's plans, or server for one's own. docs/deploy.md says what each allows and costs."
  }

  validation {
    condition     = (var.prefect.plan == "server") == !startswith(var.prefect.api_url, "https://api.prefect.cloud/")
    error_message = "prefect.plan: server is one's own, and Prefect Cloud has the others."
  }

  validation {
    condition     = var.prefect.plan != "hobby" || !var.prefect.local_pool
    error_message = "prefect.local_pool: the plan hobby has managed pools only, and five deployments, which the schedules take. Leave it out, or take another plan."
  }
}

variable "runs" {
  description = "What runs the flows. on: managed, Prefect Cloud's machines (4 cores, 16 GB); ecs, Fargate in this AWS account, from an image; machine, a worker of one's own. The rest is for ecs: docs/deploy.md."
  type = object({
    on                = optional(string, "managed")
    oidc_provider_arn = optional(string)
    customers         = optional(number, 100000)
    cpu               = optional(number)
    memory_mb         = optional(number)
    vpc_id            = optional(string)
    subnet_ids        = optional(list(string), [])
  })
  default = {}

  validation {
    condition     = var.prefect.plan != "hobby" || var.runs.on == "managed"
    error_message = "runs.on: the plan hobby has managed pools only. Write managed, or take another plan."
  }

  validation {
    condition     = var.prefect.plan != "server" || var.runs.on == "machine"
    error_message = "runs.on: managed and ecs are started by Prefect Cloud. With one's own server write machine: docs/deploy.md has its unit and compose file."
  }
}

variable "alerts" {
  description = "Who is told of runs that fail, are late or fall silent: slack, teams, pagerduty, webhook (anything that takes JSON) or email (by SendGrid, with sender and recipients). The address or key is alerts_secret."
  type = object({
    to         = string
    sender     = optional(string)
    recipients = optional(list(string), [])
  })

  validation {
    condition     = contains(["slack", "teams", "pagerduty", "webhook", "email"], var.alerts.to)
    error_message = "alerts.to: write slack, teams, pagerduty, webhook or email."
  }

  validation {
    condition     = var.alerts.to != "email" || (var.alerts.sender != null && length(var.alerts.recipients) > 0)
    error_message = "alerts: an e-mail needs a sender that SendGrid knows, and recipients."
  }
}

variable "image_tag" {
  description = "With runs.on = \"ecs\": the commit whose image runs."
  type        = string
  default     = null
}

# Airbyte

variable "airbyte" {
  description = "Airbyte's API and workspace of this environment. null: nothing is synced by Airbyte."
  type = object({
    url          = string
    workspace_id = string
  })
  default = null

  validation {
    condition     = var.airbyte == null || can(regex("^https://[^/]+(/api/public)?/v1$", var.airbyte.url))
    error_message = "airbyte.url: write https://api.airbyte.com/v1, or https://HOST/api/public/v1 of one's own server."
  }

  validation {
    condition     = var.airbyte == null || can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", var.airbyte.workspace_id))
    error_message = "airbyte.workspace_id: write the id in the address of the workspace's page."
  }

  validation {
    condition     = var.airbyte != null || length(var.source_files) == 0 && alltrue([for name in local.wanted_connections : try(local.known_connections[name].connector, "csv") == "csv"])
    error_message = "airbyte: write { url = …, workspace_id = … }: ${join(", ", local.wanted_connections)} can only be synced by Airbyte."
  }

  validation {
    condition     = var.airbyte == null || length(setsubtract(keys(var.source_files), local.wanted_connections)) == 0
    error_message = "source_files: only entries that source_names, contacts_source or products_source name are synced: ${join(", ", local.wanted_connections)}."
  }
}

# AWS

variable "region" {
  description = "AWS region, best near the Snowflake account's."
  type        = string
  default     = "eu-central-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region: write a region such as eu-central-1."
  }
}

variable "account_id" {
  description = "The AWS account of this environment; nothing is done in another."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id: write the twelve digits that `aws sts get-caller-identity` prints, in quotes."
  }
}

variable "packages" {
  description = "The zip files that `make package` has built, seen from terraform/."
  type        = object({ churn_api = string, prediction_sink = string })
  default = {
    churn_api       = "../dist/churn_api-x86_64.zip"
    prediction_sink = "../dist/prediction_sink-x86_64.zip"
  }
}

variable "architecture" {
  description = "Of both Lambdas, as in the packages' names: x86_64, which was run, or arm64, which never was."
  type        = string
  default     = "x86_64"
}

variable "python_runtime" {
  description = "Lambda's runtime; the packages hold byte code of this one."
  type        = string
  default     = "python3.13"
}

variable "reserved_concurrency" {
  description = "How many copies of the API run at once at most; -1: no limit of its own, which a new account needs: it has too few to reserve any."
  type        = number
  default     = -1
}

variable "startup" {
  description = "Against cold starts: none, snapstart, or provisioned (copies that are always on). What each costs: docs/deploy.md."
  type        = string
  default     = "none"
}

variable "provisioned_concurrency" {
  description = "Copies that are always on, with startup = \"provisioned\"."
  type        = number
  default     = 1
}

variable "throttle" {
  description = "Requests a second, and how many may come at once, at each of the two gateways."
  type        = object({ rate = number, burst = number })
  default     = { rate = 50, burst = 100 }
}

variable "jwt" {
  description = "A JWT that tools must send in addition to their API key: its issuer and audience. null: the key alone."
  type        = object({ issuer = string, audience = list(string) })
  default     = null
}

variable "domain" {
  description = "A name of one's own for the API, and the ARN of its certificate in ACM: { name = \"churn.example.com\", certificate_arn = \"arn:aws:acm:…\" }. null: API Gateway's name."
  type        = object({ name = string, certificate_arn = string })
  default     = null
}

variable "existing_secrets" {
  description = "ARNs of secrets in AWS that are there already, instead of the empty ones that are made: api_keys, snowflake_private_key."
  type        = object({ api_keys = optional(string), snowflake_private_key = optional(string) })
  default     = {}
}

variable "shop_time_zone" {
  description = "The shop's, in which order histories and today are: SHOP_TIME_ZONE of the API."
  type        = string
  default     = "UTC"
}

variable "when_not_stored" {
  description = "What the API does with a prediction that the queue does not accept: answer (with stored = false), or refuse."
  type        = string
  default     = "answer"
}

variable "log_retention_days" {
  description = "How long CloudWatch keeps logs."
  type        = number
  default     = 30
}

variable "alarm_emails" {
  description = "E-mail addresses that get alarms and budget notices. Each has to confirm once."
  type        = list(string)
  default     = []
}

variable "monthly_budget_usd" {
  description = "Costs of a month in AWS at which they are notified."
  type        = number
}

variable "budget_by_tags" {
  description = "true: the budget counts only resources with our tags, once `project` is activated as a cost allocation tag."
  type        = bool
  default     = false
}

variable "tableau" {
  description = "Where the workbook is published. null: nowhere."
  type = object({
    url     = string
    site    = optional(string, "")
    project = optional(string, "Marketing")
  })
  default = null

  validation {
    condition     = var.tableau == null || can(regex("^https://[^/]+$", var.tableau.url))
    error_message = "tableau.url: write https://POD.online.tableau.com, or https://HOST of one's own server; the site's name goes to tableau.site."
  }
}

variable "klaviyo" {
  description = "The Klaviyo that campaigns are sent to by its API. Its private key is in the Prefect Secret block that `block` names; create_profiles: customers whom Klaviyo does not know become profiles."
  type = object({
    block           = string
    create_profiles = optional(bool, false)
  })
  default = null
}

variable "brevo" {
  description = "The Brevo that campaigns are sent to by its API. Its API key is in the Prefect Secret block that `block` names; create_contacts: customers whom Brevo does not know become contacts; suppress_opt_outs: who has opted out here is blocklisted there."
  type = object({
    block             = string
    create_contacts   = optional(bool, false)
    suppress_opt_outs = optional(bool, false)
  })
  default = null
}

variable "mailchimp" {
  description = "The Mailchimp audience that campaigns are sent to by its API. Its API key is in the Prefect Secret block that `block` names; create_members: customers whom the audience does not have are subscribed to it; suppress_opt_outs: who has opted out here is unsubscribed there."
  type = object({
    block             = string
    audience          = string
    create_members    = optional(bool, false)
    suppress_opt_outs = optional(bool, false)
  })
  default = null
}

variable "hubspot" {
  description = "The HubSpot that campaigns are sent to; segments_daily: every customer's segment and risk too, with each daily run (null: in prod alone, for dev would overwrite prod's where a shop has one HubSpot); create_contacts: also create contacts that HubSpot does not know. null: none."
  type = object({
    segments_daily  = optional(bool)
    create_contacts = optional(bool, false)
  })
  default = null
}

variable "global_holdout" {
  description = "Share of the customers that no campaign ever contacts: the global control group."
  type        = number
  default     = 0

  validation {
    condition     = var.global_holdout >= 0 && var.global_holdout <= 0.5
    error_message = "global_holdout: write a share from 0 to 0.5."
  }
}

variable "show_pii" {
  description = "Whether the files of a run show e-mail addresses. What is read in Snowflake is masked by role."
  type        = bool
  default     = false
}

variable "crm_link" {
  description = "Address of a customer in the CRM, such as https://crm.example.com/customers/{customer_id}. null: no links."
  type        = string
  default     = null

  validation {
    condition     = var.crm_link == null || can(regex("^https://.*\\{(customer_id|email)\\}", var.crm_link))
    error_message = "crm_link: write https://…, with {customer_id} or {email} where a customer's goes."
  }
}

# Handed on to the modules, which describe and validate them at length

variable "data_retention_days" {
  description = "Days of Snowflake's Time Travel; null: 7 in prod, 1 in dev."
  type        = number
  default     = null
}

variable "network_policy_users" {
  description = "The users that network_allowed_ips binds. Airbyte comes as loader and Tableau as reporter: from addresses of their own."
  type        = set(string)
  default     = ["loader", "transformer", "reporter"]
}

variable "parent_role" {
  description = "The role above ours, so that administrators see what they own."
  type        = string
  default     = "SYSADMIN"
}

variable "log_level" {
  description = "Of both Lambdas: INFO or DEBUG."
  type        = string
  default     = "INFO"
}

variable "memory_mb" {
  description = "Of each Lambda; with memory comes processor time."
  type        = object({ churn_api = optional(number, 1024), prediction_sink = optional(number, 512) })
  default     = {}
}

variable "sink_concurrency" {
  description = "How many copies of the sink run at once at most."
  type        = number
  default     = 2
}

variable "sink_every_hours" {
  description = "How often the sink brings served predictions to Snowflake; 0: as they come, every five minutes, which costs what docs/deploy.md says."
  type        = number
  default     = 6
}

variable "existing_secrets_kms_key" {
  description = "ARN of the key that encrypts existing_secrets, if it is not Secrets Manager's own."
  type        = string
  default     = null
}

variable "hours_without_predictions" {
  description = "After how many hours without a batch from Snowflake the alarm goes off."
  type        = number
  default     = 26
}
