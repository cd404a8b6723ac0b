{#
  The names of the contract's features (functions/churn_api/contract.py), in its order, from the columns that
  `make generate` has written for marts.customer_features. Empty while dbt parses, when nothing is built.
#}
{% macro churn_model_features() -%}
    {%- set names = [] -%}
    {%- if execute -%}
        {%- for name in graph.nodes['model.' ~ project_name ~ '.customer_features'].columns
            if name not in ('customer_id', 'as_of_date') -%}
            {%- do names.append(name) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(names) }}
{%- endmacro %}

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
