# Trained models: a folder for each version, which is never changed, and a small file that names the champion. The API
# serves it: what is promoted or rolled back needs no apply. Next to them the pages and lists of the runs, for a while.

locals {
  models_location  = "s3://${aws_s3_bucket.models.bucket}/models"
  outputs_location = "s3://${aws_s3_bucket.models.bucket}/outputs"
}

resource "aws_s3_bucket" "models" {
  # names are shared by all of AWS
  bucket = "${local.prefix}-models-${var.account_id}"
  # in dev a bucket goes with what is in it; in prod AWS itself refuses to delete one that is not empty
  force_destroy = var.environment == "dev"

  tags = local.tags
}

resource "aws_s3_bucket_versioning" "models" {
  bucket = aws_s3_bucket.models.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "models" {
  bucket = aws_s3_bucket.models.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.main.arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "models" {
  bucket = aws_s3_bucket.models.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "models" {
  bucket = aws_s3_bucket.models.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_policy" "models" {
  bucket = aws_s3_bucket.models.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      # a denial is for every principal and action, so its wildcards are right
      Sid       = "NothingInClear"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.models.arn, "${aws_s3_bucket.models.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.models]
}

resource "aws_s3_bucket_lifecycle_configuration" "models" {
  bucket = aws_s3_bucket.models.id

  # only of champion.json and of drafts are there earlier ones: versions of models never change
  rule {
    id     = "earlier-versions"
    status = "Enabled"
    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.environment == "prod" ? 365 : 30
    }

    expiration {
      expired_object_delete_marker = true
    }
  }

  # They are about customers: what an erasure has removed is to be gone, its earlier versions too
  rule {
    id     = "outputs-of-runs"
    status = "Enabled"
    filter {
      prefix = "outputs/"
    }

    expiration {
      days = var.outputs_kept_days
    }
    noncurrent_version_expiration {
      noncurrent_days = 1
    }
  }

  rule {
    id     = "uploads-that-broke-off"
    status = "Enabled"
    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  depends_on = [aws_s3_bucket_versioning.models]
}

# For the role that runs the flows (the task role of Prefect's work pool): attach it there.
resource "aws_iam_policy" "models" {
  name        = "${local.prefix}-models"
  description = "Read and add models, of which no version can be changed back or deleted; bring and remove outputs"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # without it S3 responds "forbidden" instead of "not found" for a missing file
        Sid      = "SeeWhichModelsThereAre"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = aws_s3_bucket.models.arn
      },
      {
        Sid      = "ReadAndAddModels"
        Effect   = "Allow"
        Action   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
        Resource = "${aws_s3_bucket.models.arn}/models/*" # the names of future versions are unknown
      },
      {
        # a file is written next to its place and then moved
        Sid      = "RemoveDrafts"
        Effect   = "Allow"
        Action   = "s3:DeleteObject"
        Resource = "${aws_s3_bucket.models.arn}/models/*.draft"
      },
      {
        # an erasure removes the files about customers
        Sid      = "BringAndRemoveOutputs"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        Resource = "${aws_s3_bucket.models.arn}/outputs/*" # a folder for each day
      },
      {
        Sid       = "EncryptModels"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = aws_kms_key.main.arn
        Condition = { StringEquals = { "kms:ViaService" = "s3.${var.region}.amazonaws.com" } }
      },
    ]
  })

  tags = local.tags
}
