# For Snowflake's external function, which signs its calls as a role of ours and can do so only with a REST API.

resource "aws_api_gateway_rest_api" "snowflake" {
  name        = "${local.prefix}-snowflake"
  description = "Churn predictions for Snowflake's external function"

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  tags = local.tags
}

resource "aws_api_gateway_resource" "snowflake" {
  rest_api_id = aws_api_gateway_rest_api.snowflake.id
  parent_id   = aws_api_gateway_rest_api.snowflake.root_resource_id
  path_part   = "snowflake"
}

resource "aws_api_gateway_method" "snowflake" {
  rest_api_id   = aws_api_gateway_rest_api.snowflake.id
  resource_id   = aws_api_gateway_resource.snowflake.id
  http_method   = "POST"
  authorization = "AWS_IAM"
}

resource "aws_api_gateway_integration" "snowflake" {
  rest_api_id             = aws_api_gateway_rest_api.snowflake.id
  resource_id             = aws_api_gateway_resource.snowflake.id
  http_method             = aws_api_gateway_method.snowflake.http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = aws_lambda_alias.live["churn_api"].invoke_arn
}

# What others in the account may call by their own rights, they may not call here
resource "aws_api_gateway_rest_api_policy" "snowflake" {
  rest_api_id = aws_api_gateway_rest_api.snowflake.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      # a denial of every principal but one, so it needs its wildcards. That one is let in by its role's own policy
      Sid       = "NobodyButSnowflakesRole"
      Effect    = "Deny"
      Principal = "*"
      Action    = "execute-api:Invoke"
      Resource  = "${aws_api_gateway_rest_api.snowflake.execution_arn}/*"
      Condition = { ArnNotEquals = { "aws:PrincipalArn" = local.snowflake_role_arn } }
    }]
  })
}

resource "aws_api_gateway_deployment" "snowflake" {
  rest_api_id = aws_api_gateway_rest_api.snowflake.id

  # what is changed above is not in force before it is deployed again
  triggers = {
    content = sha256(jsonencode([
      aws_api_gateway_resource.snowflake.path_part,
      aws_api_gateway_method.snowflake.http_method,
      aws_api_gateway_method.snowflake.authorization,
      aws_api_gateway_integration.snowflake.uri,
      aws_api_gateway_rest_api_policy.snowflake.policy,
    ]))
  }

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [aws_api_gateway_integration.snowflake]
}

# No access log: for one API Gateway wants a role that is the whole account's, and there is one such setting a region,
# over which dev and prod would fight. Each call leaves the API's own line.
resource "aws_api_gateway_stage" "snowflake" {
  rest_api_id   = aws_api_gateway_rest_api.snowflake.id
  deployment_id = aws_api_gateway_deployment.snowflake.id
  stage_name    = var.environment

  tags = local.tags
}

resource "aws_api_gateway_method_settings" "snowflake" {
  rest_api_id = aws_api_gateway_rest_api.snowflake.id
  stage_name  = aws_api_gateway_stage.snowflake.stage_name
  method_path = "*/*" # there is one method; API Gateway takes settings of a stage only under this name

  settings {
    throttling_rate_limit  = var.throttle.rate
    throttling_burst_limit = var.throttle.burst
    # those of the stage are there anyhow; these would be by method, of which there is one
    metrics_enabled = false
    # bodies are about customers
    data_trace_enabled = false
    logging_level      = "OFF"
  }
}

resource "aws_lambda_permission" "snowflake_api" {
  statement_id  = "snowflake-api"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.all["churn_api"].function_name
  qualifier     = aws_lambda_alias.live["churn_api"].name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.snowflake.execution_arn}/${var.environment}/POST/snowflake"
}

# The second half of the trust: this one user of Snowflake's, with this one integration's id
resource "aws_iam_role" "snowflake" {
  count = var.snowflake_principal == null ? 0 : 1

  name        = local.snowflake_role_name
  description = "Snowflake, when marts.predict_churn calls the API"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "SnowflakesUserWithOurIntegration"
      Effect    = "Allow"
      Principal = { AWS = var.snowflake_principal.user_arn }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "sts:ExternalId" = var.snowflake_principal.external_id } }
    }]
  })

  tags = local.tags
}

resource "aws_iam_role_policy" "snowflake" {
  count = var.snowflake_principal == null ? 0 : 1

  name = "call-the-api"
  role = aws_iam_role.snowflake[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "CallOneMethod"
      Effect   = "Allow"
      Action   = "execute-api:Invoke"
      Resource = "${aws_api_gateway_rest_api.snowflake.execution_arn}/${var.environment}/POST/snowflake"
    }]
  })
}
