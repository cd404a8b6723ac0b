output "work_pool" {
  description = "The pool of the scheduled runs."
  value       = prefect_work_pool.scheduled.name
}

output "snowflake_block" {
  description = "The connector block of the runs: SNOWFLAKE_BLOCK."
  value       = prefect_block.snowflake.name
}

output "airbyte_block" {
  description = "The Secret block with Airbyte's credentials: AIRBYTE_BLOCK; null without Airbyte."
  value       = one(prefect_block.airbyte[*].name)
}

output "tableau_block" {
  description = "The Secret block with Tableau's token: TABLEAU_BLOCK; null without Tableau."
  value       = one(prefect_block.tableau[*].name)
}

output "hubspot_block" {
  description = "The Secret block with the token that writes to HubSpot: HUBSPOT_ACTIVATION_BLOCK; null without HubSpot."
  value       = one(prefect_block.hubspot[*].name)
}
