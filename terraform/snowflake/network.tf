# Bound to our users, not to the account, so it locks nobody else out.
resource "snowflake_network_policy" "service_users" {
  count = length(var.network_allowed_ips) > 0 ? 1 : 0

  name            = local.prefix
  comment         = "Where the service users of ${var.name} may come from"
  allowed_ip_list = var.network_allowed_ips

  lifecycle {
    # the users are released first: Snowflake drops no policy that somebody has
    create_before_destroy = true
  }
}
