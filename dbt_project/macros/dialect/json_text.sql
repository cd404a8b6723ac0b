{# Text at a place in a JSON column, such as contacts.results[0].id; NULL where there is none. #}
{% macro json_text(column, place) -%}
    {{ return(adapter.dispatch('json_text')(column, place)) }}
{%- endmacro %}

{% macro duckdb__json_text(column, place) -%}
    json_extract_string({{ column }}, '$.{{ place }}')
{%- endmacro %}

{% macro snowflake__json_text(column, place) -%}
    cast(get_path({{ column }}, '{{ place }}') as varchar)
{%- endmacro %}
