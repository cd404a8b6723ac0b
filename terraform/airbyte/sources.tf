# One source an entry of airbyte/connections.yml. A declarative one runs our own manifest, the file that the laptop runs; one
# of the catalogue runs Airbyte's connector.

locals {
  declarative = { for name, entry in var.connections : name => entry if entry.connector == "declarative" }
  catalogue   = { for name, entry in var.connections : name => entry if entry.connector == "catalogue" }
  configured  = merge(local.declarative, local.catalogue)

  # ${NAME} and ${NAME:-default} in an entry's `config` are filled as flows/sources/connections.py fills them: cut into
  # what is such a piece and what is not, and put together again.
  pieces = {
    for name, entry in local.configured : name => regexall("\\$\\{[^}]*\\}|[^$]+|\\$", jsonencode(try(entry.config, {})))
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
  asked_for = { for name, missing in local.missing : name => "The source ${name} needs ${join(" and ", missing)}: ${local.configured[name].description} Write it in `source_settings`, best in the environment: TF_VAR_source_settings='{\"NAME\": \"value\"}'." }
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
      error_message = local.asked_for[each.key]
    }
  }
}

resource "airbyte_source" "catalogue" {
  for_each = local.catalogue

  name          = each.key
  workspace_id  = var.workspace_id
  definition_id = each.value.definition_id
  configuration = local.configurations[each.key]

  lifecycle {
    precondition {
      condition     = length(local.missing[each.key]) == 0
      error_message = local.asked_for[each.key]
    }
  }
}

# Airbyte's own connector for files: one source a file, for it reads one. It reads with pandas, ten thousand lines at a time,
# and guesses types for each of these: customer 00123 would be 123, 00123 and 123.0. So everything is text.
locals {
  as_text  = { dtype = "string", keep_default_na = false }
  storages = { https = "HTTPS", s3 = "S3", gs = "GCS", sftp = "SFTP" }

  files = merge([
    for name, streams in var.files : {
      for stream, file in streams : "${name}.${stream}" => merge(file, {
        connection = name
        stream     = stream
        scheme     = regex("^[a-z0-9]+", file.url)
        host       = try(regex("^sftp://([^/:]+)", file.url)[0], null)
        port       = try(tonumber(regex("^sftp://[^/:]+:([0-9]+)/", file.url)[0]), 22)
        path       = try(regex("^sftp://[^/]+(/.+)$", file.url)[0], null)
      })
    }
  ]...)
}

resource "airbyte_source" "file" {
  for_each = local.files

  name          = each.key
  workspace_id  = var.workspace_id
  definition_id = "778daa7c-feaf-4db6-96f3-70fd645acc77" # source-file
  configuration = jsonencode({
    dataset_name = each.value.stream
    format       = "csv"
    url          = each.value.scheme == "sftp" ? each.value.path : each.value.url
    provider = { for name, value in {
      storage               = local.storages[each.value.scheme]
      user_agent            = each.value.scheme == "https" ? false : null
      aws_access_key_id     = each.value.scheme == "s3" ? lookup(var.file_credentials, "aws_access_key_id", null) : null
      aws_secret_access_key = each.value.scheme == "s3" ? lookup(var.file_credentials, "aws_secret_access_key", null) : null
      service_account_json  = each.value.scheme == "gs" ? lookup(var.file_credentials, "service_account_json", null) : null
      user                  = each.value.scheme == "sftp" ? lookup(var.file_credentials, "user", null) : null
      password              = each.value.scheme == "sftp" ? lookup(var.file_credentials, "password", null) : null
      host                  = each.value.host
      port                  = each.value.scheme == "sftp" ? tonumber(each.value.port) : null
    } : name => value if value != null }
    reader_options = jsonencode(merge(
      each.value.reader_options == null ? {} : jsondecode(each.value.reader_options), local.as_text,
    ))
  })
}
