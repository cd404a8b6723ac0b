variable "name" {
  description = "What every name begins with, as in rfm-churn."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.name))
    error_message = "name: write 2 to 21 lower-case letters, digits and hyphens, a letter first, such as rfm-churn."
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
  description = "On everything that takes tags, in addition to project, environment and managed_by."
  type        = map(string)
  default     = {}
}

variable "region" {
  description = "The AWS region; Snowflake's own region is the cheapest and the fastest."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region: write an AWS region, such as eu-central-1."
  }
}

variable "account_id" {
  description = "The AWS account. Names of roles are built from it before the roles exist."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id: write the 12 digits that `aws sts get-caller-identity` prints as Account."
  }
}

variable "packages" {
  description = "The zip files that `make package` writes."
  type        = object({ churn_api = string, prediction_sink = string })

  validation {
    condition     = alltrue([for file in values(var.packages) : endswith(file, ".zip") && fileexists(file)])
    error_message = "packages: there is no such zip file. Run `make package` first, and write paths such as ../dist/churn_api-x86_64.zip."
  }
}

variable "architecture" {
  description = "x86_64 or arm64, as the packages were made. ONNX Runtime has an open report of crashes on Lambda's arm64 (microsoft/onnxruntime#10038)."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture: write x86_64 or arm64."
  }

  validation {
    condition     = alltrue([for file in values(var.packages) : !endswith(file, "-${var.architecture == "arm64" ? "x86_64" : "arm64"}.zip")])
    error_message = "architecture: a package is built for the other one, by its name. Write the paths that end in -${var.architecture}.zip."
  }
}

variable "python_runtime" {
  description = "Lambda's runtime; the packages hold byte code of this Python (flows/adapters/models/lambda_package.py)."
  type        = string
  default     = "python3.13"

  validation {
    condition     = contains(["python3.12", "python3.13", "python3.14"], var.python_runtime)
    error_message = "python_runtime: write python3.13, or what the packages were made for."
  }
}

variable "memory_mb" {
  description = "Of each function; with memory comes processor time, a whole core at 1,769."
  type        = object({ churn_api = optional(number, 1024), prediction_sink = optional(number, 512) })
  default     = {}

  validation {
    condition     = alltrue([for size in values(var.memory_mb) : size >= 256 && size <= 10240])
    error_message = "memory_mb: write 256 to 10240; the API alone needs some 90 MB."
  }
}

variable "reserved_concurrency" {
  description = "How many copies of the API run at once at most, taken from the account's; -1: no limit. A new account has 10 in all, of which none can be reserved."
  type        = number
  default     = -1

  validation {
    condition     = var.reserved_concurrency == -1 || (var.reserved_concurrency >= 1 && var.reserved_concurrency <= 1000)
    error_message = "reserved_concurrency: write 1 to 1000, or -1 for no reservation. 0 would switch the API off."
  }
}

variable "sink_concurrency" {
  description = "How many copies of the sink run at once at most. Snowflake lets one MERGE at a time change a table, so more would wait."
  type        = number
  default     = 2

  validation {
    condition     = var.sink_concurrency >= 2 && var.sink_concurrency <= 10
    error_message = "sink_concurrency: write 2 to 10; 2 is the least that a queue can be limited to."
  }
}

variable "sink_every_hours" {
  description = "How often the sink merges what waits in the queue. Each merge wakes Snowflake's warehouse for a minute at least. 0: as messages come, every five minutes."
  type        = number
  default     = 6

  validation {
    condition     = contains([0, 1, 2, 3, 4, 6, 8, 12, 24], var.sink_every_hours)
    error_message = "sink_every_hours: write 1, 2, 3, 4, 6, 8, 12 or 24, or 0 for as they come."
  }
}

variable "startup" {
  description = "Against cold starts: none; snapstart (a snapshot of a started copy, charged by hour and by restore); provisioned (copies that are always on, charged by hour)."
  type        = string
  default     = "none"

  validation {
    condition     = contains(["none", "snapstart", "provisioned"], var.startup)
    error_message = "startup: write none, snapstart or provisioned."
  }
}

variable "provisioned_concurrency" {
  description = "Copies that are always on, with startup = \"provisioned\"."
  type        = number
  default     = 1

  validation {
    condition     = var.provisioned_concurrency >= 1 && (var.reserved_concurrency == -1 || var.provisioned_concurrency <= var.reserved_concurrency)
    error_message = "provisioned_concurrency: write 1 to reserved_concurrency."
  }
}

variable "throttle" {
  description = "Requests a second, and how many may come at once, at each of the two gateways."
  type        = object({ rate = number, burst = number })
  default     = { rate = 50, burst = 100 }

  validation {
    condition     = var.throttle.rate >= 1 && var.throttle.burst >= 1 && var.throttle.rate <= 10000 && var.throttle.burst <= 5000
    error_message = "throttle: write a rate of 1 to 10000 requests a second and a burst of 1 to 5000."
  }
}

variable "jwt" {
  description = "A JWT that tools must send in addition to their API key: its issuer and audience; null: the key alone."
  type        = object({ issuer = string, audience = list(string) })
  default     = null

  validation {
    condition     = var.jwt == null || (startswith(try(var.jwt.issuer, ""), "https://") && length(try(var.jwt.audience, [])) > 0)
    error_message = "jwt: write an issuer, https://…, whose keys are under /.well-known/openid-configuration, and at least one audience."
  }
}

variable "domain" {
  description = "A name of one's own for the API of tools, and its certificate in ACM, in the same region; null: API Gateway's."
  type        = object({ name = string, certificate_arn = string })
  default     = null

  validation {
    condition     = var.domain == null || (can(regex("^[a-z0-9.-]+\\.[a-z]+$", try(var.domain.name, ""))) && can(regex("^arn:aws:acm:[a-z0-9-]+:[0-9]{12}:certificate/.+$", try(var.domain.certificate_arn, ""))))
    error_message = "domain: write { name = \"churn.example.com\", certificate_arn = \"arn:aws:acm:<region>:<account>:certificate/<id>\" }."
  }
}

variable "existing_secrets" {
  description = "ARNs of secrets that are there already, instead of the empty ones that are made here."
  type        = object({ api_keys = optional(string), snowflake_private_key = optional(string) })
  default     = {}

  validation {
    condition     = alltrue([for arn in values(var.existing_secrets) : arn == null || can(regex("^arn:aws:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+$", arn))])
    error_message = "existing_secrets: write whole ARNs, arn:aws:secretsmanager:<region>:<account>:secret:<name>; never a secret itself."
  }
}

variable "existing_secrets_kms_key" {
  description = "ARN of the key that encrypts existing_secrets, if it is not Secrets Manager's own."
  type        = string
  default     = null

  validation {
    condition     = var.existing_secrets_kms_key == null || can(regex("^arn:aws:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.existing_secrets_kms_key))
    error_message = "existing_secrets_kms_key: write the ARN of a key, arn:aws:kms:<region>:<account>:key/<id>."
  }
}

variable "snowflake_principal" {
  description = "Snowflake's principal in AWS, as its API integration reports it: outputs api_user_arn and api_external_id of the module snowflake; null: no external function."
  type        = object({ user_arn = string, external_id = string })
  default     = null

  validation {
    condition     = var.snowflake_principal == null || can(regex("^arn:aws:iam::[0-9]{12}:(user|role)/.+$", try(var.snowflake_principal.user_arn, "")))
    error_message = "snowflake_principal.user_arn: write the ARN of a user, as `describe integration` shows under API_AWS_IAM_USER_ARN."
  }

  validation {
    # without one, anybody's integration in that Snowflake region could take the role on
    condition     = var.snowflake_principal == null || length(try(var.snowflake_principal.external_id, "")) >= 2
    error_message = "snowflake_principal.external_id: write what `describe integration` shows under API_AWS_EXTERNAL_ID."
  }
}

variable "snowflake_settings" {
  description = "How the sink reaches Snowflake. The private key is in Secrets Manager, and nowhere here."
  type        = object({ account = string, user = string, role = string, warehouse = string, database = string })

  validation {
    condition     = alltrue([for value in values(var.snowflake_settings) : length(value) > 0])
    error_message = "snowflake_settings: write account (organisation-account), user, role, warehouse and database."
  }

  validation {
    condition     = !contains(["ACCOUNTADMIN", "SYSADMIN", "SECURITYADMIN", "ORGADMIN"], upper(var.snowflake_settings.role))
    error_message = "snowflake_settings.role: the sink adds rows to one table; give it the role scorer, not an administrator's."
  }
}

variable "shop_time_zone" {
  description = "The shop's, in which order histories and today are."
  type        = string
  default     = "UTC"

  validation {
    condition     = can(regex("^(UTC|[A-Za-z]+/[A-Za-z_/+-]+)$", var.shop_time_zone))
    error_message = "shop_time_zone: write one like Europe/Berlin."
  }
}

variable "when_not_stored" {
  description = "What the API does with a prediction that the queue does not accept: answer (with stored = false), or refuse."
  type        = string
  default     = "answer"

  validation {
    condition     = contains(["answer", "refuse"], var.when_not_stored)
    error_message = "when_not_stored: write answer or refuse."
  }
}

variable "log_level" {
  description = "Log level of both functions; from INFO on a request leaves the line that metrics are computed from."
  type        = string
  default     = "INFO"

  validation {
    # with less, ChurnApi's metrics stop, and with them the alarm for missing predictions
    condition     = contains(["DEBUG", "INFO"], var.log_level)
    error_message = "log_level: write INFO or DEBUG; with less there are no metrics, and the alarms on them would be blind."
  }
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days: CloudWatch takes 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731 and more; 0, for ever, is not allowed here."
  }
}

variable "alarm_emails" {
  description = "E-mail addresses that get alarms and budget notices. Each has to confirm once."
  type        = list(string)

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "alarm_emails: write e-mail addresses."
  }

  validation {
    condition     = length(var.alarm_emails) > 0 || var.environment == "dev"
    error_message = "alarm_emails: write at least one address; in prod somebody must get the alarms."
  }
}

variable "monthly_budget_usd" {
  description = "Budget of the whole AWS account, or of the resources with our tags (budget_by_tags)."
  type        = number

  validation {
    condition     = var.monthly_budget_usd >= 1
    error_message = "monthly_budget_usd: write an amount from 1 on; docs/deploy.md lists what a month costs."
  }
}

variable "budget_by_tags" {
  description = "true: the budget counts only resources with our tags. Activate project as a cost allocation tag first; otherwise the budget sees nothing and stays silent."
  type        = bool
  default     = false
}

variable "scoring_is_external" {
  description = "true: the daily run scores by this API, so a day without a batch raises an alarm. false: Snowflake scores by itself (SNOWFLAKE_SCORING=udf)."
  type        = bool
  default     = true
}

variable "hours_without_predictions" {
  description = "After how many hours without a batch from Snowflake the alarm goes off; the run is daily."
  type        = number
  default     = 26

  validation {
    condition     = var.hours_without_predictions >= 2 && var.hours_without_predictions <= 168
    error_message = "hours_without_predictions: write 2 to 168."
  }
}

variable "runs" {
  description = "What runs the flows: managed, ecs or machine (runs.tf), and what each needs."
  type = object({
    on                   = string
    prefect_account_id   = optional(string)
    prefect_workspace_id = optional(string)
    oidc_provider_arn    = optional(string)
    customers            = optional(number, 100000)
    cpu                  = optional(number)
    memory_mb            = optional(number)
    image_tag            = optional(string)
    vpc_id               = optional(string)
    subnet_ids           = optional(list(string), [])
  })

  validation {
    condition     = contains(["managed", "ecs", "machine"], var.runs.on)
    error_message = "runs.on: write managed, ecs or machine."
  }

  validation {
    condition     = var.runs.on == "machine" || (var.runs.prefect_account_id != null && var.runs.prefect_workspace_id != null)
    error_message = "runs.on: managed and ecs are Prefect Cloud's. With one's own server write machine."
  }

  validation {
    condition     = var.runs.on != "ecs" || (var.runs.vpc_id != null && length(var.runs.subnet_ids) > 0)
    error_message = "runs: ecs needs vpc_id and subnet_ids, of the account's default network for example: `aws ec2 describe-subnets --query 'Subnets[].[VpcId,SubnetId]'`."
  }

  validation {
    condition     = var.runs.on != "ecs" || can(regex("^[0-9a-f]{40}$", var.runs.image_tag))
    error_message = "runs.image_tag: write the commit whose image runs, 40 hexadecimal digits, as `git rev-parse HEAD` prints it."
  }

  validation {
    condition = var.runs.cpu == null && var.runs.memory_mb == null || try(contains(concat(
      [for gb in range(2, 9) : "1024x${gb * 1024}"], [for gb in range(4, 17) : "2048x${gb * 1024}"],
      [for gb in range(8, 31) : "4096x${gb * 1024}"], [for gb in [32, 40, 48, 60] : "8192x${gb * 1024}"],
    ), "${var.runs.cpu}x${var.runs.memory_mb}"), false)
    error_message = "runs: Fargate takes cpu 1024 with memory_mb 2048 to 8192, 2048 with 4096 to 16384, 4096 with 8192 to 30720, 8192 with 32768, 40960, 49152 or 61440, in steps of 1024; write both or none."
  }

  validation {
    condition     = var.runs.oidc_provider_arn == null || can(regex("^arn:aws:iam::[0-9]{12}:oidc-provider/api\\.prefect\\.cloud/oidc-provider$", var.runs.oidc_provider_arn))
    error_message = "runs.oidc_provider_arn: write arn:aws:iam::<account>:oidc-provider/api.prefect.cloud/oidc-provider, where another environment of this account has made it."
  }
}

variable "outputs_kept_days" {
  description = "How long the page, list and workbook of a run are kept."
  type        = number
  default     = 90

  validation {
    condition     = var.outputs_kept_days >= 1 && floor(var.outputs_kept_days) == var.outputs_kept_days
    error_message = "outputs_kept_days: write a whole number of days from 1 on."
  }
}
