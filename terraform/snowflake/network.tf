# Bound to our users, not to the account, so it locks nobody else out. Lists of addresses, because network rules are
# a preview of the provider's.
resource "snowflake_network_policy" "service_users" {
  count = length(var.network_allowed_ips) > 0 ? 1 : 0

  name            = local.prefix
  comment         = "Where the service users of ${var.name} may come from"
  allowed_ip_list = var.network_allowed_ips
}
