{#
  What the model says of each row of `features` (an alias of marts.customer_features), scored inside the warehouse:
  one value with the fields of `prediction_fields`. The arguments are the contract's columns in the contract's order,
  which is the model's.
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

{# A field of the column `prediction` that predict_churn filled. #}
{% macro prediction_field(field) -%}
    {{ return(adapter.dispatch('prediction_field')(field)) }}
{%- endmacro %}

{% macro duckdb__prediction_field(field) -%}
    prediction.{{ field }}
{%- endmacro %}

{# A prediction for queries that predict nothing. #}
{% macro prediction_of_nobody() -%}
    {{ return(adapter.dispatch('prediction_of_nobody')()) }}
{%- endmacro %}

{% macro duckdb__prediction_of_nobody() -%}
    {%- set fields = [] -%}
    {%- for name, type in prediction_fields().items() -%}{%- do fields.append(name ~ ' ' ~ type) -%}{%- endfor -%}
    cast(null as struct({{ fields | join(', ') }}))
{%- endmacro %}

{% macro prediction_fields() -%}
    {{ return({
        'churn_probability': 'double', 'expected_spend': 'double',
        'next_order_days_10': 'double', 'next_order_days_50': 'double', 'next_order_days_90': 'double',
        'reason_1': 'varchar', 'reason_2': 'varchar', 'reason_3': 'varchar',
    }) }}
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
