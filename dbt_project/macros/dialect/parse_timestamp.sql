{#
  A timestamp without time zone, in the shop's local time, from text; NULL where the text is none.
  `format` is "iso" or strptime codes; `timezone` is applied to values that carry an offset.
#}
{% macro parse_timestamp(text, format, has_offset=false, timezone=none) -%}
    {{ return(adapter.dispatch('parse_timestamp')(text, format, has_offset, timezone or 'UTC')) }}
{%- endmacro %}

{% macro duckdb__parse_timestamp(text, format, has_offset, timezone) -%}
    {%- if format != 'iso' -%}
        try_strptime({{ text }}, '{{ format }}')
    {%- elif has_offset -%}
        case
            when regexp_matches({{ text }}, ':\d\d(\.\d+)?\s*(Z|UTC|[+-]\d\d(:?\d\d)?)$')
                then try_cast({{ text }} as timestamptz) at time zone '{{ timezone }}'
            else try_cast({{ text }} as timestamp)
        end
    {%- else -%}
        try_cast({{ text }} as timestamp)
    {%- endif -%}
{%- endmacro %}
