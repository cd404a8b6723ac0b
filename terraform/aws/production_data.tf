# As in the module snowflake: prevent_destroy takes no variable, so it is set on a companion of each resource in prod
# with data, and a plan that would replace or destroy that resource fails as a whole. The deliberate second step is
#   terraform state rm 'module.aws.terraform_data.production_data'
# after which S3 still refuses to delete a bucket that is not empty, and keys and secrets wait for 30 days.
resource "terraform_data" "production_data" {
  for_each = var.environment == "prod" ? {
    models       = aws_s3_bucket.models.id
    predictions  = aws_sqs_queue.predictions.id
    dead_letters = aws_sqs_queue.dead_letters.id
    key          = aws_kms_key.main.id
  } : {}

  triggers_replace = each.value

  lifecycle {
    prevent_destroy = true
  }
}
