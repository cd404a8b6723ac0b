# Made empty: what is in them is written by hand, once (docs/deploy.md), and never comes into Terraform's state.

locals {
  secrets = {
    api_keys              = "JSON of holders and keys of the API, {\"shop\": \"…\"}: docs/api.md"
    snowflake_private_key = "Private key of the scorer's user in PEM, or JSON of private_key and passphrase"
  }
  made_secrets = { for purpose, what in local.secrets : purpose => what if var.existing_secrets[purpose] == null }
  secret_arns  = { for purpose, what in local.secrets : purpose => try(aws_secretsmanager_secret.all[purpose].arn, var.existing_secrets[purpose]) }

  # of each secret, the key that must be used to read it
  secret_kms_keys = { for purpose, what in local.secrets : purpose => contains(keys(local.made_secrets), purpose) ? aws_kms_key.main.arn : var.existing_secrets_kms_key }
}

resource "aws_secretsmanager_secret" "all" {
  for_each = local.made_secrets

  name        = "${local.prefix}/${replace(each.key, "_", "-")}"
  description = each.value
  kms_key_id  = aws_kms_key.main.arn
  # in dev the name is free again at once
  recovery_window_in_days = var.environment == "prod" ? 30 : 0

  tags = local.tags
}
