{# Text of one of our columns as the connection maps it; NULL where the source has none. #}
{% macro mapped_text(column) -%}
    {%- set header = var('order_lines').columns.get(column) -%}
    {%- if header -%} nullif(trim(cast({{ raw_column(header) }} as varchar)), '')
    {%- else -%} cast(null as varchar)
    {%- endif -%}
{%- endmacro %}

{# A number from text, whatever the source's decimal sign and decoration; NULL where the text is none. #}
{% macro parse_number(text) -%}
    {%- set format = var('order_lines').number_format -%}
    {%- if format.characters -%}
        try_cast(translate({{ text }}, '{{ format.characters | replace("'", "''") }}', '{{ format.replacements }}') as decimal(18, 4))
    {%- else -%}
        try_cast({{ text }} as decimal(18, 4))
    {%- endif -%}
{%- endmacro %}
