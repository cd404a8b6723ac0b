{#
  A timestamp without time zone from text, in one of several formats: "iso", strptime codes, seconds (or fractions) since
  1970, or a spreadsheet's serial number. NULL where the text is in none of them.
#}
{% macro parse_local_timestamp(text, formats) -%}
    {%- set readings = [] -%}
    {%- for format in formats -%}
        {%- do readings.append(adapter.dispatch('timestamp_in_format')(text, format)) -%}
    {%- endfor -%}
    {{ readings[0] if readings | length == 1 else 'coalesce(' ~ readings | join(', ') ~ ')' }}
{%- endmacro %}

{# As text, a fraction of a second aside: only what begins like an ISO date is cast, for engines guess at the rest. #}
{% macro duckdb__timestamp_in_format(text, format) -%}
    {%- if format == 'iso' -%}
        case when {{ text }} like '____-__-__%' then try_cast({{ text }} as timestamp) end
    {%- elif format in seconds_in_unit() -%}
        make_timestamp(cast({{ unix_seconds(text, format) }} as bigint) * 1000000)
    {%- else -%}
        try_strptime({{ text }}, '{{ format }}')
    {%- endif -%}
{%- endmacro %}

{% macro snowflake__timestamp_in_format(text, format) -%}
    {%- if format == 'iso' -%}
        case when {{ text }} like '____-__-__%' then try_cast({{ text }} as datetime) end
    {%- elif format in seconds_in_unit() -%}
        dateadd('second', {{ unix_seconds(text, format) }}, cast('1970-01-01' as timestamp))
    {%- else -%}
        try_to_timestamp_ntz({{ text }}, '{{ snowflake_timestamp_format(format) }}')
    {%- endif -%}
{%- endmacro %}

{# Of formats that count since some day. #}
{% macro seconds_in_unit() -%}
    {{ return({
        'unix_seconds': 1, 'unix_milliseconds': 0.001, 'unix_microseconds': 0.000001, 'excel_serial': 86400,
    }) }}
{%- endmacro %}

{# Whole seconds since 1970; NULL outside of the years 1990 to 2099. Spreadsheets count days from 1899-12-30. #}
{% macro unix_seconds(text, format) -%}
    {%- set number = "try_cast(" ~ text ~ " as decimal(38, 10))" -%}
    {%- set days_before = ' - 25569' if format == 'excel_serial' else '' -%}
    {%- set seconds = "round((" ~ number ~ days_before ~ ") * " ~ seconds_in_unit()[format] ~ ", 0)" -%}
    case when {{ seconds }} between 631152000 and 4102444799 then {{ seconds }} end
{%- endmacro %}

{# A moment that is written in local time with an offset such as +02:00, in the local time of a zone. #}
{% macro in_time_zone(local, offset, timezone) -%}
    {%- set minutes -%}
        (case when {{ offset }} like '-%' then 1 else -1 end
            * (60 * cast(substr({{ offset }}, 2, 2) as integer) + cast(substr({{ offset }}, 5, 2) as integer)))
    {%- endset -%}
    {{ return(adapter.dispatch('from_utc')(dbt.dateadd('minute', minutes, local), timezone)) }}
{%- endmacro %}

{% macro duckdb__from_utc(timestamp, timezone) -%}
    {{ timestamp }} at time zone 'UTC' at time zone '{{ timezone }}'
{%- endmacro %}

{% macro snowflake__from_utc(timestamp, timezone) -%}
    convert_timezone('UTC', '{{ timezone }}', {{ timestamp }})
{%- endmacro %}

{# Letters between strptime's codes stand for themselves, in quotes. #}
{% macro snowflake_timestamp_format(strptime) -%}
    {%- set elements = {
        'd': 'DD', 'm': 'MM', 'Y': 'YYYY', 'y': 'YY', 'H': 'HH24', 'I': 'HH12', 'M': 'MI', 'S': 'SS', 'p': 'AM',
        'b': 'MON', 'B': 'MMMM', 'f': 'FF',
    } -%}
    {%- set written = namespace(format='') -%}
    {%- for part in strptime.split('%') -%}
        {%- set literal = part if loop.first else part[1:] -%}
        {%- set quote = '"' if literal | upper != literal | lower else '' -%}
        {%- set written.format = written.format ~ ('' if loop.first else elements[part[0]]) ~ quote ~ literal ~ quote -%}
    {%- endfor -%}
    {{ return(written.format) }}
{%- endmacro %}
