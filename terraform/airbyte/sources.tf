# One source an entry of airbyte/connections.yml. A declarative one runs our own manifest, the file that the laptop runs.

locals {
  declarative = { for name, entry in var.connections : name => entry if entry.connector == "declarative" }

  # ${NAME} and ${NAME:-default} in an entry's `config` are filled as flows/sources/connections.py fills them: cut into
  # what is such a piece and what is not, and put together again.
  pieces = {
    for name, entry in local.declarative : name => regexall("\\$\\{[^}]*\\}|[^$]+|\\$", jsonencode(try(entry.config, {})))
  }
  placeholders = {
    for name, pieces in local.pieces : name => {
      for piece in pieces : piece => regex("^\\$\\{(?P<variable>[A-Z][A-Z0-9_]*)(?P<optional>:-)?(?P<default>.*)\\}$", piece)...
      if startswith(piece, "$${")
    }
  }
  configurations = {
    for name, pieces in local.pieces : name => join("", [
      for piece in pieces : startswith(piece, "$${") ? trimsuffix(trimprefix(jsonencode(try(coalesce(
        lookup(var.settings, local.placeholders[name][piece][0].variable, null),
        jsondecode("\"${local.placeholders[name][piece][0].default}\""), # it was cut out of JSON
      ), "")), "\""), "\"") : piece
    ])
  }
  given = nonsensitive([for name, value in var.settings : name if value != ""]) # names alone
  missing = {
    for name, found in local.placeholders : name => sort(distinct([
      for said in values(found) : said[0].variable if said[0].optional == null && !contains(local.given, said[0].variable)
    ]))
  }
}

resource "airbyte_declarative_source_definition" "this" {
  for_each = local.declarative

  name         = each.key
  workspace_id = var.workspace_id
  manifest     = jsonencode(yamldecode(file("${var.manifests}/${each.value.manifest}")))
}

resource "airbyte_source" "declarative" {
  for_each = local.declarative

  name          = each.key
  workspace_id  = var.workspace_id
  definition_id = airbyte_declarative_source_definition.this[each.key].id
  configuration = local.configurations[each.key]

  lifecycle {
    precondition {
      condition     = length(local.missing[each.key]) == 0
      error_message = "The source ${each.key} needs ${join(" and ", local.missing[each.key])}: ${each.value.description} Write it in `source_settings`, best in the environment: TF_VAR_source_settings='{\"NAME\": \"value\"}'."
    }
  }
}

# Airbyte's own connector for files: one source a file, for it reads one.
locals {
  files = merge([
    for name, streams in var.files : {
      for stream, file in streams : "${name}.${stream}" => merge(file, { connection = name, stream = stream })
    }
  ]...)
}

resource "airbyte_source" "file" {
  for_each = local.files

  name          = each.key
  workspace_id  = var.workspace_id
  definition_id = "778daa7c-feaf-4db6-96f3-70fd645acc77" # source-file
  configuration = jsonencode(merge(
    {
      dataset_name = each.value.stream
      format       = "csv"
      url          = each.value.url
      provider     = { storage = "HTTPS", user_agent = false }
    },
    each.value.reader_options == null ? {} : { reader_options = each.value.reader_options },
  ))
}
