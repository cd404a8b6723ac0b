# What runs the flows, and what they may do in AWS. Three ways (var.runs.on):
#   managed  Prefect Cloud's own machines take the role on by OpenID Connect. There is no key.
#   ecs      Prefect Cloud starts a task on Fargate for each run, from an image in ECR. There is no key either, and nothing
#            costs while no run is on.
#   machine  a machine of one's own with a worker; its own role gets the policy `models`.

locals {
  runs_on_cloud = var.runs.on != "machine" # Prefect Cloud takes a role on
  runs_on_ecs   = var.runs.on == "ecs"
  issuer        = "api.prefect.cloud/oidc-provider"
  issuer_arn    = var.runs.oidc_provider_arn == null ? one(aws_iam_openid_connect_provider.prefect[*].arn) : var.runs.oidc_provider_arn

  # Prefect Cloud alone, and of it this workspace alone
  trust_in_prefect = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = local.issuer_arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "${local.issuer}:aud"          = "prefect-cloud"
          "${local.issuer}:sub"          = "prefect:account:${coalesce(var.runs.prefect_account_id, "none")}"
          "${local.issuer}:workspace_id" = coalesce(var.runs.prefect_workspace_id, "none")
        }
      }
    }]
  })
}

# An AWS account has one of an issuer: where another environment has made it, its ARN is given instead.
resource "aws_iam_openid_connect_provider" "prefect" {
  count = local.runs_on_cloud && var.runs.oidc_provider_arn == null ? 1 : 0

  url            = "https://${local.issuer}"
  client_id_list = ["prefect-cloud"]

  tags = local.tags
}

# What a run may do: with `managed` it is taken on by Prefect Cloud, with `ecs` it is the task's.
resource "aws_iam_role" "runs" {
  count = local.runs_on_cloud ? 1 : 0

  name                 = "${local.prefix}-runs"
  description          = "What the flows may do: read and add models, and bring outputs"
  max_session_duration = 21600 # as long as a run may take
  assume_role_policy   = local.runs_on_ecs ? local.trust_in_tasks : local.trust_in_prefect

  tags = local.tags
}

resource "aws_iam_role_policy_attachment" "runs_models" {
  count = local.runs_on_cloud ? 1 : 0

  role       = aws_iam_role.runs[0].name
  policy_arn = aws_iam_policy.models.arn
}
