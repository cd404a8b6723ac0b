{#
  What stands for the braces in the names of features: of 'purchases_last_{}_days' ['30', '60', …]. So the length of a
  window stands in the contract only; functions.churn_api.contract.feature_parts does the same for Python.
#}
{% macro feature_parts(pattern) -%}
    {%- set before, after = pattern.split('{}') -%}
    {%- set parts = [] -%}
    {%- for name in churn_model_features() if modules.re.fullmatch(before ~ '.+' ~ after, name) -%}
        {%- do parts.append(name[before | length : (name | length) - (after | length)]) -%}
    {%- endfor -%}
    {{ return(parts) }}
{%- endmacro %}

{# The same as numbers. #}
{% macro feature_days(pattern) -%}
    {{ return(feature_parts(pattern) | map('int') | list) }}
{%- endmacro %}
