# What dev is. Example values: replace those of your accounts. Secrets come by the environment (secrets.tf).
environment    = "dev"
repository_url = "https://github.com/example/rfm-churn.git"
source_names   = ["hubspot"]

region     = "eu-central-1"
account_id = "123456789012"

snowflake = {
  organization = "EXAMPLE"
  account      = "SHOP_DEV"
  user         = "TERRAFORM"
}
database      = "SHOP_DEV"
credit_quotas = { load = 5, transform = 5, sink = 1, report = 2 }

prefect = {
  api_url = "https://api.prefect.cloud/api/accounts/00000000-0000-4000-8000-000000000002/workspaces/00000000-0000-4000-8000-000000000004"
  plan    = "hobby"
}

alerts = { to = "slack" } # its address is a secret: secrets.tf

airbyte = {
  url          = "https://airbyte.example.com/api/public/v1"
  workspace_id = "00000000-0000-4000-8000-000000000001"
}

hubspot = {} # where campaigns are sent; segments are not: see segments_daily

tableau = {
  url  = "https://example.online.tableau.com"
  site = "shop-dev"
}

monthly_budget_usd = 20
