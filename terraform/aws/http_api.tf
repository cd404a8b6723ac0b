# For tools. The key, x-api-key, is checked by the API itself, as on a laptop: an HTTP API has no keys of its own.
# /snowflake is not among its routes: Snowflake comes by the REST API, signed.

# Each is also under /v1, which /openapi.json describes and generated clients call; HEAD is answered where GET is.

locals {
  paths = {
    "/predict"         = { methods = ["POST"], is_open = false }
    "/predict/columns" = { methods = ["POST"], is_open = false }
    "/model"           = { methods = ["GET", "HEAD"], is_open = false }
    "/health"          = { methods = ["GET", "HEAD"], is_open = true } # whether a model is loaded, and which
    "/ready"           = { methods = ["GET", "HEAD"], is_open = true }
    "/docs"            = { methods = ["GET", "HEAD"], is_open = true }
    "/docs/{asset}"    = { methods = ["GET", "HEAD"], is_open = true } # its scripts and styles
    "/openapi.json"    = { methods = ["GET", "HEAD"], is_open = true }
  }
  routes = merge([
    for prefix in ["", "/v1"] : merge([
      for path, route in local.paths : { for method in route.methods : "${method} ${prefix}${path}" => route }
    ]...)
  ]...)
}

resource "aws_apigatewayv2_api" "tools" {
  name          = local.prefix
  description   = "Churn predictions for tools"
  protocol_type = "HTTP"

  tags = local.tags
}

resource "aws_apigatewayv2_integration" "churn_api" {
  api_id                 = aws_apigatewayv2_api.tools.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_alias.live["churn_api"].invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_authorizer" "jwt" {
  count = var.jwt == null ? 0 : 1

  api_id           = aws_apigatewayv2_api.tools.id
  name             = "jwt"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = var.jwt.issuer
    audience = var.jwt.audience
  }
}

resource "aws_apigatewayv2_route" "all" {
  for_each = local.routes

  api_id    = aws_apigatewayv2_api.tools.id
  route_key = each.key
  target    = "integrations/${aws_apigatewayv2_integration.churn_api.id}"

  # NONE: the API asks for a key itself, but for routes that are open
  authorization_type = var.jwt == null || each.value.is_open ? "NONE" : "JWT"
  authorizer_id      = var.jwt == null || each.value.is_open ? null : aws_apigatewayv2_authorizer.jwt[0].id
}

resource "aws_apigatewayv2_stage" "default" {
  api_id = aws_apigatewayv2_api.tools.id
  # another stage's name would become part of the path
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit  = var.throttle.rate
    throttling_burst_limit = var.throttle.burst
    # by route the API measures itself; the gateway's would be paid for a second time
    detailed_metrics_enabled = false
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.all["http_api"].arn
    # no address, no agent, no query: who called is in the API's own line, by the name of the key's holder
    format = jsonencode({
      request_id         = "$context.requestId"
      at                 = "$context.requestTime"
      route              = "$context.routeKey"
      status             = "$context.status"
      latency_ms         = "$context.responseLatency"
      integration_status = "$context.integrationStatus"
      error              = "$context.integrationErrorMessage"
    })
  }

  tags = local.tags
}

resource "aws_lambda_permission" "http_api" {
  statement_id  = "http-api"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.all["churn_api"].function_name
  qualifier     = aws_lambda_alias.live["churn_api"].name
  principal     = "apigateway.amazonaws.com"
  # this API, which has the routes above and no other; the wildcards are its one stage and a route's method and path
  source_arn = "${aws_apigatewayv2_api.tools.execution_arn}/*/*"
}

# A name of one's own, which a DNS record points to (output api_domain_target)
resource "aws_apigatewayv2_domain_name" "tools" {
  count = var.domain == null ? 0 : 1

  domain_name = var.domain.name

  domain_name_configuration {
    certificate_arn = var.domain.certificate_arn
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }

  tags = local.tags
}

resource "aws_apigatewayv2_api_mapping" "tools" {
  count = var.domain == null ? 0 : 1

  api_id      = aws_apigatewayv2_api.tools.id
  domain_name = aws_apigatewayv2_domain_name.tools[0].id
  stage       = aws_apigatewayv2_stage.default.id
}
