{# A column of a raw table by the name it has in the source. #}
{% macro raw_column(name) -%}
    {{ return(adapter.dispatch('raw_column')(name)) }}
{%- endmacro %}

{% macro duckdb__raw_column(name) -%}
    "{{ name | replace('"', '""') }}"
{%- endmacro %}

{# Airbyte's destination and our own loads write every name in capitals. #}
{% macro snowflake__raw_column(name) -%}
    "{{ name | upper | replace('"', '""') }}"
{%- endmacro %}
