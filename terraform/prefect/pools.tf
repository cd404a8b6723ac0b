# Where runs wait and are started. One at a time, for they write the same tables: each pool is limited to one, and the
# flows take the global limit too, because a pool does not know of the other.

resource "prefect_work_pool" "scheduled" {
  name              = var.name
  description       = "Scheduled runs. Made by Terraform."
  type              = var.work_pool.type
  base_job_template = var.work_pool.base_job_template
  concurrency_limit = 1
  paused            = false
}

resource "prefect_work_pool" "local" {
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
