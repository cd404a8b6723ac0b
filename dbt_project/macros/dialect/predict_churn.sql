{#
  The churn probability of each row of `features` (an alias of marts.customer_features), scored inside the
  warehouse. The arguments are the contract's columns in the contract's order, which is the model's.
#}
{% macro predict_churn(features) -%}
    {{ return(adapter.dispatch('predict_churn')(features)) }}
{%- endmacro %}

{% macro duckdb__predict_churn(features) -%}
    predict_churn(
        {%- for name in churn_model_features() %}
        cast({{ features }}.{{ name }} as double){{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

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
