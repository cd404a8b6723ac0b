# How each entry is synced: streams, keys and cursors are those of airbyte/connections.yml, and a connection is called as
# its entry, by which the flows find it. Airbyte keeps no schedule: a run starts the sync, and goes on when it has ended.

locals {
  synced = merge(
    { for name, entry in local.catalogue : name => { entry = entry, streams = entry.streams, source = airbyte_source.catalogue[name].source_id, schema = "raw_${name}" } },
    { for name, entry in local.declarative : name => { entry = entry, streams = entry.streams, source = airbyte_source.declarative[name].source_id, schema = "raw_${name}" } },
    {
      for key, file in local.files : length(var.files[file.connection]) == 1 ? file.connection : key => {
        entry   = var.connections[file.connection]
        streams = { (file.stream) = var.connections[file.connection].streams[file.stream] }
        source  = airbyte_source.file[key].source_id
        schema  = "raw_${file.connection}"
      }
    },
  )
}

resource "airbyte_connection" "this" {
  for_each = local.synced

  name                 = each.key
  source_id            = each.value.source
  destination_id       = airbyte_destination.snowflake.destination_id
  namespace_definition = "custom_format"
  namespace_format     = each.value.schema
  prefix               = ""
  status               = "active"
  schedule             = { schedule_type = "manual" }

  non_breaking_schema_updates_behavior = "propagate_columns" # as on the laptop: a new column passes through

  configurations = {
    streams = [
      for name, stream in each.value.streams : {
        name         = name
        sync_mode    = stream.sync_mode
        primary_key  = [for column in try(stream.primary_key, []) : [column]]
        cursor_field = try([stream.cursor], [])
      }
    ]
  }
}
