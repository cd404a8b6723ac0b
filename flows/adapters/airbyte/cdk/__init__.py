"""The laptop's Airbyte: the CDK's process reads a source, and DuckDB keeps it as destination-snowflake v4 would."""
