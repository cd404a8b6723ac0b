# prevent_destroy takes no variable, so it cannot be set on resources that dev has too. These are companions of each
# resource in prod with data, and are replaced or destroyed whenever it is: a plan that would do either fails as a whole,
# with nothing done, be it `terraform destroy`, another name, a removed source, or environment = "dev".
#
# The deliberate second step, for all or for one of them (docs/deploy.md):
#   terraform state rm 'module.snowflake.terraform_data.production_data'
resource "terraform_data" "production_data" {
  for_each = var.environment == "prod" ? merge(
    # with its name: the provider may rename a database in place, and stages would be lost
    { database = "${snowflake_database.main.id} ${local.database}", churn_predictions = snowflake_table.churn_predictions.id },
    # another name would replace each user, role and warehouse
    { name = local.prefix },
    { for name, stage in local.stage_grants : "stage ${name}" => stage },
    { for name, schema in snowflake_schema.all : "schema ${name}" => schema.id },
  ) : {}

  triggers_replace = each.value

  lifecycle {
    prevent_destroy = true
  }
}
