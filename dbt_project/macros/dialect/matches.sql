{# Whether a regular expression matches the whole of a text. #}
{% macro matches(text, pattern) -%}
    {{ return(adapter.dispatch('matches')(text, pattern | replace("'", "''"))) }}
{%- endmacro %}

{% macro duckdb__matches(text, pattern) -%}
    regexp_full_match({{ text }}, '{{ pattern }}')
{%- endmacro %}
