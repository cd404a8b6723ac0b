{# A subquery of `keys` and of each value of a column that holds several, separated by semicolons: one row for each. #}
{% macro split_values(relation, keys, column) -%}
    {{ return(adapter.dispatch('split_values')(relation, keys, column)) }}
{%- endmacro %}

{% macro duckdb__split_values(relation, keys, column) -%}
    (
        select {{ keys | join(', ') }}, trim(part) as part
        from (
            select {{ keys | join(', ') }}, unnest(string_split({{ column }}, ';')) as part
            from {{ relation }}
        ) as parts
        where trim(part) <> ''
    )
{%- endmacro %}

{% macro snowflake__split_values(relation, keys, column) -%}
    (
        select {{ keys | join(', ') }}, trim(cast(parts.value as varchar)) as part
        from {{ relation }}, lateral flatten(input => split({{ column }}, ';')) as parts
        where trim(cast(parts.value as varchar)) <> ''
    )
{%- endmacro %}
