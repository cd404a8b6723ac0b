# dbt rebuilds its tables each day, and a policy on a column would be lost with the old table. So the policies are on tags,
# and the tags on schemas: every future column inherits them, and a build has nothing to do.
#
#   everything  raw schemas: no text and no JSON is shown. Names, telephone numbers, whole e-mails may be in any column of a raw
#               table, and no role but those below has a reason to look.
#   addresses   what dbt makes: a value that contains an e-mail address is replaced, also where it is the customer's
#               id. Staging takes no names and no telephone numbers over, so none are further on.
#
# An address becomes a digest, so that two customers stay two in a count. Someone who knows an address can find its digest.

locals {
  sees_personal_data = sort(concat(
    [local.role_names["loader"], local.role_names["transformer"]],
    [for role in var.pii_roles : upper(role)],
  ))
  # the session's own role: a role that only inherits from one of them, as administrators do, has to switch to it
  may_see = "current_role() in (${join(", ", [for role in local.sees_personal_data : "'${role}'"])})"

  masks = {
    everything = {
      comment = "Shows nothing"
      schemas = setunion(local.source_schemas, ["RAW", local.airbyte_schema])
      # in text, and in what Airbyte brings as JSON
      VARCHAR = "case when ${local.may_see} or val is null then val else '***' end"
      VARIANT = "case when ${local.may_see} then val else null end"
      OBJECT  = "case when ${local.may_see} then val else null end"
      ARRAY   = "case when ${local.may_see} then val else null end"
    }
    addresses = {
      comment = "Shows no e-mail address"
      schemas = local.dbt_schemas
      VARCHAR = join(" ", [
        "case when ${local.may_see} then val",
        "when val like '%_@_%.__%' then 'address ' || left(sha2('${local.database}' || lower(trim(val)), 256), 16)",
        "else val end",
      ])
      VARIANT = "case when ${local.may_see} then val when to_json(val) like '%_@_%.__%' then null else val end"
      OBJECT  = null # dbt makes none
      ARRAY   = null
    }
  }

  used_masks = local.has_tags ? local.masks : {}
  policies = {
    for pair in setproduct(keys(local.used_masks), ["VARCHAR", "VARIANT", "OBJECT", "ARRAY"]) :
    "${pair[0]} ${pair[1]}" => { mask = pair[0], type = pair[1] } if local.masks[pair[0]][pair[1]] != null
  }
}

resource "snowflake_masking_policy" "personal_data" {
  for_each = local.policies

  database         = snowflake_database.main.name
  schema           = snowflake_schema.all[local.governance_schema].name
  name             = upper("MASK_${each.value.mask}_${each.value.type}")
  comment          = local.masks[each.value.mask].comment
  return_data_type = each.value.type
  body             = local.masks[each.value.mask][each.value.type]

  argument {
    name = "val"
    type = each.value.type
  }
}

resource "snowflake_tag" "personal_data" {
  for_each = local.used_masks

  database               = snowflake_database.main.name
  schema                 = snowflake_schema.all[local.governance_schema].name
  name                   = upper("MASK_${each.key}")
  comment                = each.value.comment
  ordered_allowed_values = ["on"]
  masking_policies = [
    for key, policy in local.policies : snowflake_masking_policy.personal_data[key].fully_qualified_name if policy.mask == each.key
  ]
}

resource "snowflake_tag_association" "personal_data" {
  for_each = local.used_masks

  object_type        = "SCHEMA"
  object_identifiers = [for schema in each.value.schemas : snowflake_schema.all[schema].fully_qualified_name]
  tag_id             = snowflake_tag.personal_data[each.key].fully_qualified_name
  tag_value          = "on"
}
