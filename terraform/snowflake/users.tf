# A pair of keys each, no password, and nothing but its one role
resource "snowflake_service_user" "purpose" {
  for_each = local.role_names

  name              = each.value
  comment           = "${title(each.key)} of ${var.name}, ${var.environment}"
  default_role      = snowflake_account_role.purpose[each.key].name
  default_warehouse = snowflake_warehouse.purpose[local.warehouse_of[each.key]].name
  # with ALL a session would add the rights of every role that is ever granted to the user
  default_secondary_roles_option = "NONE"

  # what an account has set must not decide what a date means
  timezone               = "UTC"
  timestamp_type_mapping = "TIMESTAMP_NTZ"

  # Snowflake wants the body alone, in one line
  rsa_public_key   = replace(replace(var.public_keys[each.key], "/-----[A-Z ]+-----/", ""), "/\\s/", "")
  rsa_public_key_2 = contains(keys(var.next_public_keys), each.key) ? replace(replace(var.next_public_keys[each.key], "/-----[A-Z ]+-----/", ""), "/\\s/", "") : null

  network_policy = length(var.network_allowed_ips) > 0 && contains(var.network_policy_users, each.key) ? snowflake_network_policy.service_users[0].name : null
}
