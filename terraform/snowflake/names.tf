locals {
  # the provider writes every name in quotes, and the flows, dbt and Airbyte write theirs without: so in capitals here
  prefix   = upper(replace("${var.name}_${var.environment}", "-", "_"))
  database = upper(var.database)

  purposes        = toset(["loader", "transformer", "scorer", "reporter"])
  role_names      = { for purpose in local.purposes : purpose => "${local.prefix}_${upper(purpose)}" }
  warehouse_names = { for purpose in ["load", "transform", "sink", "report"] : purpose => "${local.prefix}_${upper(purpose)}" }
  warehouse_of    = { loader = "load", transformer = "transform", scorer = "sink", reporter = "report" }

  source_schemas = toset([for source in var.sources : "RAW_${upper(source)}"])
  # Airbyte's destination prepares its tables here and then swaps them into raw_<source>
  airbyte_schema = "AIRBYTE_INTERNAL"
  dbt_schemas    = toset(["STAGING", "INTERMEDIATE", "MARTS"])
  # policies and tags, which only Terraform may change
  governance_schema = "GOVERNANCE"

  has_tags    = var.edition == "enterprise"
  cost_center = lookup(var.tags, "cost_center", "${var.name}-${var.environment}")

  # the letters in the middle say that this is a public RSA key; a private one has others, also without its first line
  public_key = "^(-----BEGIN PUBLIC KEY-----)?\\s*MII[A-Za-z0-9+/]{3}ANBgkqhkiG9w0BAQEFAAOC[A-Za-z0-9+/=\\s]{330,}(-----END PUBLIC KEY-----)?\\s*$"
}
