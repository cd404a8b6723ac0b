output "connections" {
  description = "What the runs call, by name: AIRBYTE_CONNECTIONS may hold these ids, or the names."
  value       = { for name, connection in airbyte_connection.this : name => connection.connection_id }
}
