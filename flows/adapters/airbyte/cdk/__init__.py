"""The laptop's Airbyte: the CDK's process reads a source, and DuckDB stores it in the shape of destination-snowflake
v4."""
