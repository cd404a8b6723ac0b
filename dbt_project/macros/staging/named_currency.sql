{# The currency that a line's column names, as its ISO code where that is known; NULL where the source has no column. #}
{% macro named_currency(mapping) -%}
    {%- set codes = (mapping.get('orders') or {}).currency_codes or {} -%}
    {%- if codes -%}
    case currency_text
        {%- for name, code in codes.items() %}
        when '{{ name | replace("'", "''") }}' then '{{ code }}'
        {%- endfor %}
        else currency_text
    end
    {%- else -%} currency_text
    {%- endif -%}
{%- endmacro %}
