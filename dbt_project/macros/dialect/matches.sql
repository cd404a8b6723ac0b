{# Whether a regular expression matches the whole of a text. #}
{% macro matches(text, pattern) -%}
    {{ return(adapter.dispatch('matches')(text, pattern | replace("'", "''"))) }}
{%- endmacro %}

{% macro duckdb__matches(text, pattern) -%}
    regexp_full_match({{ text }}, '{{ pattern }}')
{%- endmacro %}

{# Snowflake's regexp_like looks at the whole text; in its literals a backslash must be written twice. #}
{% macro snowflake__matches(text, pattern) -%}
    regexp_like({{ text }}, '({{ pattern | replace("\\", "\\\\") }})', 's')
{%- endmacro %}
