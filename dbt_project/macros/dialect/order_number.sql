{# The digits of an order's id as one number, by which shops number their orders; NULL where it has none or too many. #}
{% macro order_number(text) -%}
    {{ return(adapter.dispatch('order_number')(text)) }}
{%- endmacro %}

{% macro duckdb__order_number(text) -%}
    coalesce(
        try_cast({{ text }} as bigint),
        case when length({{ text }}) < 40 then try_cast(regexp_replace({{ text }}, '\D', '', 'g') as bigint) end
    )
{%- endmacro %}

{% macro snowflake__order_number(text) -%}
    try_cast(left(regexp_replace({{ text }}, '\\D', ''), 19) as number(19, 0))
{%- endmacro %}
