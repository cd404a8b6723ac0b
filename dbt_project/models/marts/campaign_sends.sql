{# The shelf for what destinations answer: dbt makes the table and never touches its rows. #}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    full_refresh=false,
    transient=false
) }}

{{ no_rows_yet() }}
