locals {
  routes_shown = ["/predict", "/snowflake"]

  charts = [
    {
      title   = "Requests"
      stat    = "SampleCount"
      metrics = [for route in local.routes_shown : ["ChurnApi", "Latency", "route", route]]
    },
    {
      title   = "Latency at the 99th percentile, ms"
      stat    = "p99"
      metrics = [for route in local.routes_shown : ["ChurnApi", "Latency", "route", route]]
    },
    {
      title   = "Customers scored"
      stat    = "Sum"
      metrics = [for route in local.routes_shown : ["ChurnApi", "BatchSize", "route", route]]
    },
    {
      # by which one sees that customers, or the model, have changed
      title   = "Churn probability, mean"
      stat    = "Average"
      metrics = [for route in local.routes_shown : ["ChurnApi", "ChurnProbability", "route", route]]
    },
    {
      title   = "Cold starts"
      stat    = "Sum"
      metrics = [for route in local.routes_shown : ["ChurnApi", "ColdStart", "route", route]]
    },
    {
      title = "Errors and throttles"
      stat  = "Sum"
      metrics = [
        for pair in setproduct(["Errors", "Throttles"], [for function in values(local.functions) : function.name]) : ["AWS/Lambda", pair[0], "FunctionName", pair[1]]
      ]
    },
    {
      title = "Answers on the queue"
      stat  = "Maximum"
      metrics = [
        for queue in [aws_sqs_queue.predictions.name, aws_sqs_queue.dead_letters.name] : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue]
      ]
    },
    {
      title   = "Age of the oldest prediction on the queue, s"
      stat    = "Maximum"
      metrics = [["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", aws_sqs_queue.predictions.name]]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "main" {
  dashboard_name = local.prefix

  # two charts in a row
  dashboard_body = jsonencode({
    widgets = [
      for place, chart in local.charts : {
        type   = "metric"
        x      = 12 * (place % 2)
        y      = 6 * floor(place / 2)
        width  = 12
        height = 6
        properties = {
          title   = chart.title
          region  = var.region
          stat    = chart.stat
          period  = 300
          metrics = chart.metrics
        }
      }
    ]
  })
}
