# Who is notified when a run fails, is late or sends no heartbeat, as in flows/automations.yaml. Where Terraform is used it
# owns these, as it owns the pools and the limit, and `make deploy` (MANAGED_BY=terraform) leaves them alone.

locals {
  automations = { for automation in var.automations : automation.name => automation }
  blocks      = { alerts = prefect_block.alerts.id }
}

resource "prefect_automation" "this" {
  for_each = local.automations

  name        = each.key
  description = each.value.description
  enabled     = true

  trigger = {
    event = {
      posture       = each.value.trigger.posture
      after         = try(each.value.trigger.after, [])
      expect        = each.value.trigger.expect
      for_each      = each.value.trigger.for_each
      match         = jsonencode(each.value.trigger.match)
      match_related = jsonencode(each.value.trigger.match_related)
      threshold     = each.value.trigger.threshold
      within        = each.value.trigger.within
    }
  }

  actions = [
    for action in each.value.actions : {
      type              = action.type
      block_document_id = try(local.blocks[action.block_document_id], null)
      subject           = try(action.subject, null)
      body              = try(action.body, null)
      state             = try(action.state, null)
      name              = try(action.name, null)
      message           = try(action.message, null)
    }
  ]

  lifecycle {
    precondition {
      condition = alltrue([
        for action in each.value.actions : try(contains(keys(local.blocks), action.block_document_id), true)
      ])
      error_message = "An action of this automation names a block that terraform/prefect/automations.tf does not know: add it to `blocks` there, or write alerts."
    }
  }
}
