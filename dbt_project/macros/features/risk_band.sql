{# low, medium or high by the thresholds of the variable risk_bands. #}
{% macro risk_band(probability) -%}
    case
        when {{ probability }} >= {{ var('risk_bands').high }} then 'high'
        when {{ probability }} >= {{ var('risk_bands').medium }} then 'medium'
        when {{ probability }} is not null then 'low'
    end
{%- endmacro %}
