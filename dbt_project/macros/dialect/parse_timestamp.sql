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
                then try_cast({{ duckdb_plain_offset(text) }} as timestamptz) at time zone '{{ timezone }}'
            else try_cast({{ text }} as timestamp)
        end
    {%- else -%}
        try_cast({{ text }} as timestamp)
    {%- endif -%}
{%- endmacro %}

{# The offset as +00:00, right behind the time: DuckDB takes no space before it. #}
{% macro duckdb_plain_offset(text) -%}
    regexp_replace(regexp_replace({{ text }}, '\s*([+-]\d\d)$', '\1:00'), '\s*([+-]\d\d):?(\d\d)$', '\1:\2')
{%- endmacro %}

{# Only what begins like an ISO date is cast: Snowflake would take a bare number for seconds since 1970. #}
{% macro snowflake__parse_timestamp(text, format, has_offset, timezone) -%}
    {%- if format != 'iso' -%}
        try_to_timestamp_ntz({{ text }}, '{{ snowflake_timestamp_format(format) }}')
    {%- else -%}
        case
            when not regexp_like({{ text }}, '\\d{4}-\\d{1,2}-\\d{1,2}([ T].*)?') then null
            {% if has_offset -%}
            when regexp_like({{ text }}, '.*:\\d{2}(\\.\\d+)? *(Z|UTC|[+-]\\d{2}(:?\\d{2})?)') then cast(
                convert_timezone(
                    '{{ timezone }}',
                    try_cast({{ snowflake_plain_offset(text) }} as timestamp_tz)
                ) as timestamp_ntz
            )
            {% endif -%}
            else try_cast({{ text }} as datetime)
        end
    {%- endif -%}
{%- endmacro %}

{# The offset as +00:00, right behind the time: the one way that Snowflake takes with a T and without. #}
{% macro snowflake_plain_offset(text) -%}
    regexp_replace(
        regexp_replace(regexp_replace({{ text }}, ' *(Z|UTC)$', '+00:00'), ' *([+-]\\d{2})$', '\\1:00'),
        ' *([+-]\\d{2}):?(\\d{2})$', '\\1:\\2'
    )
{%- endmacro %}

{% macro snowflake_timestamp_format(strptime) -%}
    {%- set elements = {
        '%d': 'DD', '%m': 'MM', '%Y': 'YYYY', '%y': 'YY', '%H': 'HH24', '%I': 'HH12', '%M': 'MI', '%S': 'SS', '%p': 'AM',
    } -%}
    {%- set written = namespace(format=strptime | replace('T', '"T"')) -%}
    {%- for code, element in elements.items() -%}
        {%- set written.format = written.format | replace(code, element) -%}
    {%- endfor -%}
    {{ written.format }}
{%- endmacro %}
