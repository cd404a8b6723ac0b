# One key for what is kept: models, secrets, logs, alarms. It can be watched in CloudTrail and switched off, which AWS's
# own keys cannot; and alarms cannot go to a topic that is encrypted by AWS's own.

resource "aws_kms_key" "main" {
  description             = "Models, secrets, logs and alarms of ${local.prefix}"
  enable_key_rotation     = true
  deletion_window_in_days = var.environment == "prod" ? 30 : 7

  # in the policy of a key, "*" is the key itself
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # otherwise nobody could ever change the key again; IAM says who in the account may do what
        Sid       = "TheAccountAdministersIt"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${var.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "LogGroupsOfOurs"
        Effect    = "Allow"
        Principal = { Service = "logs.${var.region}.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
        Resource  = "*"
        Condition = {
          ArnEquals = { "kms:EncryptionContext:aws:logs:arn" = [for name in values(local.log_groups) : "arn:aws:logs:${var.region}:${var.account_id}:log-group:${name}"] }
        }
      },
      {
        # without a condition, as AWS documents it: a key that refuses makes an alarm that nobody hears. Which alarms may
        # be published, the topic says
        Sid       = "AlarmsToTheTopic"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = "*"
      },
    ]
  })

  tags = local.tags
}

resource "aws_kms_alias" "main" {
  name          = "alias/${local.prefix}"
  target_key_id = aws_kms_key.main.key_id
}
