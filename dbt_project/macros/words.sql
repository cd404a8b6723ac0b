{# A whole number with its unit, as text: 1 day, 2 days. #}
{% macro counted(number, unit) -%}
    cast({{ number }} as varchar) || case when {{ number }} = 1 then ' {{ unit }}' else ' {{ unit }}s' end
{%- endmacro %}

{# An amount of the run's currency, as text: whole from 10 on, with commas between thousands as the reasons have them. #}
{% macro amount_in_words(amount) -%}
    case
        when {{ amount }} >= 999.5 then {{ with_thousands('cast(cast(round(' ~ amount ~ ') as bigint) as varchar)') }}
        when {{ amount }} >= 10 then cast(cast(round({{ amount }}) as bigint) as varchar)
        else cast(cast({{ amount }} as decimal(18, 2)) as varchar)
    end{% if run_value('currency') %} || ' {{ run_value("currency") }}'{% endif %}
{%- endmacro %}

{# Digits as text, with commas between thousands: up to 999,999,999,999. #}
{% macro with_thousands(digits) -%}
    {%- set ns = namespace(text=digits) -%}
    {%- for _ in range(3) -%}
        {%- set ns.text = replace_matches(ns.text, '^([0-9]+)([0-9]{3})(,|$)', '\\1,\\2\\3') -%}
    {%- endfor -%}
    {{ ns.text }}
{%- endmacro %}
