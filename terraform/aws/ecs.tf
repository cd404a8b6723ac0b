# Runs on Fargate (var.runs.on = "ecs"). Prefect Cloud starts tasks of the one definition below, and may do no more.

locals {
  # Fargate takes certain pairs only. A run of a million customers takes 4 GB (docs/benchmarks.md, scale); training is
  # limited to TRAINING_CUSTOMERS. Twice as much, so that a shop can grow.
  sizes = {
    small  = { cpu = 1024, memory = 4096 }
    medium = { cpu = 2048, memory = 8192 }
    large  = { cpu = 4096, memory = 16384 }
  }
  size = local.sizes[
    var.runs.customers <= 200000 ? "small" : var.runs.customers <= 1000000 ? "medium" : "large"
  ]
  task = {
    cpu    = coalesce(var.runs.cpu, local.size.cpu)
    memory = coalesce(var.runs.memory_mb, local.size.memory)
  }
  task_family = "${local.prefix}-runs"

  trust_in_tasks = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

# The image of docs/serving/Dockerfile, by commit: a tag never changes what it means.
resource "aws_ecr_repository" "runs" {
  count = local.runs_on_ecs ? 1 : 0

  name                 = local.prefix
  image_tag_mutability = "IMMUTABLE"
  force_delete         = var.environment == "dev"

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = aws_kms_key.main.arn
  }

  tags = local.tags
}

resource "aws_ecr_lifecycle_policy" "runs" {
  count = local.runs_on_ecs ? 1 : 0

  repository = aws_ecr_repository.runs[0].name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Thirty images are enough to go back"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 30 }
      action       = { type = "expire" }
    }]
  })
}

resource "aws_ecs_cluster" "runs" {
  count = local.runs_on_ecs ? 1 : 0

  name = local.prefix

  setting {
    name  = "containerInsights"
    value = "disabled" # the runs' page in Prefect has logs and states; these metrics would cost more than the runs
  }

  tags = local.tags
}

resource "aws_cloudwatch_log_group" "runs" {
  count = local.runs_on_ecs ? 1 : 0

  name              = "/ecs/${local.task_family}"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.main.arn

  tags = local.tags
}

resource "aws_ecs_task_definition" "runs" {
  count = local.runs_on_ecs ? 1 : 0

  family                   = local.task_family
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = local.task.cpu
  memory                   = local.task.memory
  execution_role_arn       = aws_iam_role.start_runs[0].arn
  task_role_arn            = aws_iam_role.runs[0].arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  ephemeral_storage {
    size_in_gib = 30
  }

  container_definitions = jsonencode([{
    name      = "prefect" # by this name Prefect hands over command and environment
    image     = "${aws_ecr_repository.runs[0].repository_url}:${var.runs.image_tag}"
    essential = true
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.runs[0].name
        awslogs-region        = var.region
        awslogs-stream-prefix = "run"
      }
    }
  }])

  tags = local.tags
}

# Out to Snowflake, Prefect, S3 and the like; nothing comes in. Snowflake's connector asks by port 80 whether a certificate
# was withdrawn.
resource "aws_security_group" "runs" {
  count = local.runs_on_ecs ? 1 : 0

  name        = local.task_family
  description = "Runs: out by HTTP and HTTPS, nothing in"
  vpc_id      = var.runs.vpc_id

  egress = [
    for port in [80, 443] : {
      description      = "HTTP and HTTPS"
      from_port        = port
      to_port          = port
      protocol         = "tcp"
      cidr_blocks      = ["0.0.0.0/0"]
      ipv6_cidr_blocks = []
      prefix_list_ids  = []
      security_groups  = []
      self             = false
    }
  ]
  ingress = []

  tags = local.tags
}

# What Fargate itself does before a run begins: it fetches the image and opens the log.
resource "aws_iam_role" "start_runs" {
  count = local.runs_on_ecs ? 1 : 0

  name               = "${local.prefix}-start-runs"
  description        = "Fetch the image of the runs and write their log"
  assume_role_policy = local.trust_in_tasks

  tags = local.tags
}

resource "aws_iam_role_policy" "start_runs" {
  count = local.runs_on_ecs ? 1 : 0

  name = "fetch-and-log"
  role = aws_iam_role.start_runs[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "SignInToEcr"
        Effect   = "Allow"
        Action   = "ecr:GetAuthorizationToken"
        Resource = "*" # this action knows no resources
      },
      {
        Sid      = "FetchTheImage"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = aws_ecr_repository.runs[0].arn
      },
      {
        Sid      = "WriteTheLog"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.runs[0].arn}:*"
      },
    ]
  })
}

# What Prefect Cloud does when a run is due: it starts, watches and stops tasks of this definition in this cluster.
resource "aws_iam_role" "push" {
  count = local.runs_on_ecs ? 1 : 0

  name               = "${local.prefix}-push"
  description        = "Prefect Cloud starts and stops runs"
  assume_role_policy = local.trust_in_prefect

  tags = local.tags
}

resource "aws_iam_role_policy" "push" {
  count = local.runs_on_ecs ? 1 : 0

  name = "start-and-stop-runs"
  role = aws_iam_role.push[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "StartRuns"
        Effect    = "Allow"
        Action    = "ecs:RunTask"
        Resource  = "${aws_ecs_task_definition.runs[0].arn_without_revision}:*"
        Condition = { ArnEquals = { "ecs:cluster" = aws_ecs_cluster.runs[0].arn } }
      },
      {
        Sid       = "WatchAndStopRuns"
        Effect    = "Allow"
        Action    = ["ecs:DescribeTasks", "ecs:StopTask"]
        Resource  = "arn:aws:ecs:${var.region}:${var.account_id}:task/${aws_ecs_cluster.runs[0].name}/*"
        Condition = { ArnEquals = { "ecs:cluster" = aws_ecs_cluster.runs[0].arn } }
      },
      {
        Sid      = "LabelRuns"
        Effect   = "Allow"
        Action   = "ecs:TagResource"
        Resource = "arn:aws:ecs:${var.region}:${var.account_id}:task/${aws_ecs_cluster.runs[0].name}/*"
      },
      {
        Sid      = "ReadTheDefinition"
        Effect   = "Allow"
        Action   = "ecs:DescribeTaskDefinition"
        Resource = "*" # this action knows no resources
      },
      {
        Sid       = "GiveRunsTheirRoles"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = [aws_iam_role.runs[0].arn, aws_iam_role.start_runs[0].arn]
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
    ]
  })
}
