# Where runs wait and are started. One at a time, for they write the same tables: each pool is limited to one, and the
# flows take the global limit too, because a pool does not know of the other.

locals {
  pool_types = { managed = "prefect:managed", ecs = "ecs:push", machine = "process" }

  # A push pool's template. The task definition is Terraform's, and a run adds its command and environment to it. Prefect's own
  # template would register a definition for each deployment, with the image, roles and size of whoever deploys.
  push_template = var.runs_on_ecs == null ? null : jsonencode({
    job_configuration = {
      command         = "{{ command }}"
      env             = "{{ env }}"
      labels          = "{{ labels }}"
      name            = "{{ name }}"
      aws_credentials = "{{ aws_credentials }}"
      cluster         = var.runs_on_ecs.cluster
      container_name  = "prefect"
      task_definition = {}
      task_run_request = {
        taskDefinition = var.runs_on_ecs.task_definition
        cluster        = var.runs_on_ecs.cluster
        launchType     = "FARGATE"
        tags           = "{{ labels }}"
        networkConfiguration = {
          awsvpcConfiguration = {
            subnets        = var.runs_on_ecs.subnets
            securityGroups = [var.runs_on_ecs.security_group]
            assignPublicIp = "ENABLED" # the way out of a network without a NAT gateway; nothing comes in
          }
        }
        overrides = {
          containerOverrides = [{ name = "prefect", command = "{{ command }}", environment = "{{ env }}" }]
        }
      }
    }
    variables = {
      type = "object"
      properties = {
        name    = { type = "string", title = "Name" }
        command = { type = "string", title = "Command" }
        env     = { type = "object", title = "Environment Variables", additionalProperties = { type = ["string", "null"] } }
        labels  = { type = "object", title = "Labels", additionalProperties = { type = "string" } }
        aws_credentials = {
          type    = "object"
          title   = "OidcAwsCredentials"
          default = { role_arn = var.runs_on_ecs.push_role, region_name = var.runs_on_ecs.region }
        }
      }
    }
  })
}

resource "prefect_work_pool" "scheduled" {
  name              = var.name
  description       = "Scheduled runs. Made by Terraform."
  type              = local.pool_types[var.runs_on]
  base_job_template = local.push_template
  concurrency_limit = 1
  paused            = false
}

resource "prefect_work_pool" "local" {
  count = var.local_pool ? 1 : 0

  name              = "${var.name}-local"
  description       = "For a worker on a machine that has the code and the environment. Made by Terraform."
  type              = "process"
  concurrency_limit = 1
  paused            = false
}

resource "prefect_global_concurrency_limit" "one_at_a_time" {
  name   = var.name
  limit  = 1
  active = true
}
