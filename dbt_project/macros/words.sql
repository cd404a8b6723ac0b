{# A whole number with its unit, as text: 1 day, 2 days. #}
{% macro counted(number, unit) -%}
    cast({{ number }} as varchar) || case when {{ number }} = 1 then ' {{ unit }}' else ' {{ unit }}s' end
{%- endmacro %}

{# An amount of the run's currency, as text: whole from 10 on. #}
{% macro amount_in_words(amount) -%}
    case
        when {{ amount }} >= 10 then cast(cast(round({{ amount }}) as bigint) as varchar)
        else cast(cast({{ amount }} as decimal(18, 2)) as varchar)
    end{% if run_value('currency') %} || ' {{ run_value("currency") }}'{% endif %}
{%- endmacro %}
