# What prod is. Example values: replace those of your accounts. Secrets come by the environment (secrets.tf).
environment     = "prod"
repository_url  = "https://github.com/example/rfm-churn.git"
source_names    = ["hubspot"]
contacts_source = "hubspot"

region     = "eu-central-1"
account_id = "123456789012"

snowflake = {
  organization = "EXAMPLE"
  account      = "SHOP"
  user         = "TERRAFORM"
}
database = "SHOP"

prefect = {
  api_url = "https://api.prefect.cloud/api/accounts/00000000-0000-4000-8000-000000000002/workspaces/00000000-0000-4000-8000-000000000003"
  plan    = "hobby" # docs/deploy.md: what the others allow
}

# runs = { on = "ecs", vpc_id = "vpc-…", subnet_ids = ["subnet-…"], customers = 500000 }

alerts = { to = "slack" } # its address is a secret: secrets.tf

airbyte = {
  url          = "https://api.airbyte.com/v1"
  workspace_id = "00000000-0000-4000-8000-000000000004"
}

hubspot = {} # where campaigns and, daily, segments are sent

tableau = {
  url  = "https://example.online.tableau.com"
  site = "shop"
}

alarm_emails       = ["data@example.com"]
monthly_budget_usd = 100
log_retention_days = 90
