# A role for each function, with what that function's code calls and nothing else

resource "aws_iam_role" "function" {
  for_each = local.functions

  name        = each.value.name
  description = "What the Lambda ${each.value.name} may do"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })

  tags = local.tags
}

locals {
  may_log = {
    for purpose in keys(local.functions) : purpose => {
      Sid    = "WriteItsOwnLog"
      Effect = "Allow"
      Action = ["logs:CreateLogStream", "logs:PutLogEvents"]
      # the streams of this one group, whose names Lambda makes up
      Resource = "${aws_cloudwatch_log_group.all[purpose].arn}:*"
    }
  }

  may_read_secret = {
    for purpose, secret in { churn_api = "api_keys", prediction_sink = "snowflake_private_key" } : purpose => concat(
      [{
        Sid      = "ReadItsSecret"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = local.secret_arns[secret]
      }],
      local.secret_kms_keys[secret] == null ? [] : [{
        Sid       = "DecryptItsSecret"
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = local.secret_kms_keys[secret]
        Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${var.region}.amazonaws.com", "kms:EncryptionContext:SecretARN" = local.secret_arns[secret] } }
      }],
    )
  }
}

resource "aws_iam_role_policy" "churn_api" {
  name = "answer-and-queue"
  role = aws_iam_role.function["churn_api"].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([local.may_log["churn_api"]], local.may_read_secret["churn_api"], [{
      Sid      = "QueueAnswers"
      Effect   = "Allow"
      Action   = "sqs:SendMessage"
      Resource = aws_sqs_queue.predictions.arn
      }, {
      # without it S3 responds "forbidden" instead of "not found" where no champion is yet
      Sid      = "SeeWhichModelsThereAre"
      Effect   = "Allow"
      Action   = "s3:ListBucket"
      Resource = aws_s3_bucket.models.arn
      }, {
      Sid      = "ReadModels"
      Effect   = "Allow"
      Action   = "s3:GetObject"
      Resource = "${aws_s3_bucket.models.arn}/models/*" # the names of future versions are unknown
      }, {
      Sid       = "DecryptModels"
      Effect    = "Allow"
      Action    = "kms:Decrypt"
      Resource  = aws_kms_key.main.arn
      Condition = { StringEquals = { "kms:ViaService" = "s3.${var.region}.amazonaws.com" } }
    }])
  })
}

resource "aws_iam_role_policy" "prediction_sink" {
  name = "receive-and-merge"
  role = aws_iam_role.function["prediction_sink"].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([local.may_log["prediction_sink"]], local.may_read_secret["prediction_sink"], [{
      Sid      = "ReceiveAnswers"
      Effect   = "Allow"
      Action   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
      Resource = aws_sqs_queue.predictions.arn
    }])
  })
}
