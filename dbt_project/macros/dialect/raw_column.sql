{# A column of a raw table by the name it has in the source. #}
{% macro raw_column(name) -%}
    {{ return(adapter.dispatch('raw_column')(name)) }}
{%- endmacro %}

{% macro duckdb__raw_column(name) -%}
    "{{ name | replace('"', '""') }}"
{%- endmacro %}
