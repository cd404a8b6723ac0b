output "api_url" {
  description = "Where tools send POST /predict."
  value       = var.domain == null ? aws_apigatewayv2_api.tools.api_endpoint : "https://${var.domain.name}"
}

output "api_domain_target" {
  description = "What the DNS record of `domain` points to; null: there is none."
  value       = one(aws_apigatewayv2_domain_name.tools[*].domain_name_configuration[0].target_domain_name)
}

output "snowflake_api_url" {
  description = "The stage of the REST API; Snowflake calls /snowflake under it."
  # of the API's id alone, so that Snowflake's integration need not wait for what waits for it
  value = "https://${aws_api_gateway_rest_api.snowflake.id}.execute-api.${var.region}.amazonaws.com/${var.environment}"
}

output "snowflake_role_arn" {
  description = "The role that Snowflake takes on; known before it is there."
  value       = local.snowflake_role_arn
}

output "queue_url" {
  description = "QUEUE_URL of `make redrive`."
  value       = aws_sqs_queue.predictions.url
}

output "dead_letter_queue_url" {
  description = "DEAD_LETTER_QUEUE_URL of `make redrive`."
  value       = aws_sqs_queue.dead_letters.url
}

output "models_bucket" {
  description = "The bucket of trained models."
  value       = aws_s3_bucket.models.bucket
}

output "models_location" {
  description = "MODELS of the flows."
  value       = local.models_location
}

output "models_policy_arn" {
  description = "To be attached to the role under which the flows run, so that they can read and add models."
  value       = aws_iam_policy.models.arn
}

output "secrets" {
  description = "ARNs of the secrets, whose values are written by hand."
  value       = local.secret_arns
}

output "functions" {
  description = "Names of the two Lambda functions."
  value       = { for purpose, function in aws_lambda_function.all : purpose => function.function_name }
}

output "alarm_topic_arn" {
  description = "Where alarms go."
  value       = aws_sns_topic.alarms.arn
}

output "dashboard_url" {
  description = "The dashboard in AWS's console."
  value       = "https://${var.region}.console.aws.amazon.com/cloudwatch/home?region=${var.region}#dashboards/dashboard/${aws_cloudwatch_dashboard.main.dashboard_name}"
}

output "runs_role_arn" {
  description = "The role of the runs; null: a machine of one's own, whose role gets the policy of models_policy_arn."
  value       = local.runs_on_cloud ? "arn:aws:iam::${var.account_id}:role/${local.prefix}-runs" : null # known before it is there
}

output "runs_on_ecs" {
  description = "What Prefect Cloud needs to start a run on Fargate; null: runs are elsewhere."
  value = local.runs_on_ecs ? {
    task_definition = aws_ecs_task_definition.runs[0].arn
    cluster         = aws_ecs_cluster.runs[0].arn
    push_role       = aws_iam_role.push[0].arn
    region          = var.region
    subnets         = var.runs.subnet_ids
    security_group  = aws_security_group.runs[0].id
  } : null
}

output "image_repository" {
  description = "Where the image of the runs is pushed to; null: runs need none here."
  value       = one(aws_ecr_repository.runs[*].repository_url)
}

output "outputs_location" {
  description = "OUTPUTS of the flows."
  value       = local.outputs_location
}
