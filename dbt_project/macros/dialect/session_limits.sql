{#
  Run before each model: how long it may take, and wait for a lock. A run that was killed in the middle of a merge holds
  one for hours, and the profile cannot say so.
#}
{% macro session_limits() -%}
    {{ return(adapter.dispatch('session_limits')()) }}
{%- endmacro %}

{% macro duckdb__session_limits() -%}
{%- endmacro %}

{% macro snowflake__session_limits() -%}
    alter session set lock_timeout = 300, statement_timeout_in_seconds = {{ var('statement_timeout_seconds') }}
{%- endmacro %}
