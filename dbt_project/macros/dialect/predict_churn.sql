{#
  The model's prediction for each row of `features` (an alias of marts.customer_features), scored inside the warehouse:
  one value with the fields that functions/predicted.py names. The arguments are the contract's columns in the contract's order,
  which is the model's, and the day of the year of the as-of date, whose season the model follows.
#}
{% macro predict_churn(features) -%}
    {{ return(adapter.dispatch('predict_churn')(features)) }}
{%- endmacro %}

{% macro duckdb__predict_churn(features) -%}
    predict_churn(
        {{- features_as_doubles(features) }}
    )
{%- endmacro %}

{#
  In Snowflake: the external function, which calls the API with one JSON argument, or with the run value scoring: udf
  the same model inside the warehouse (flows/adapters/snowflake/udf.py), which takes what DuckDB's function takes.
#}
{% macro snowflake__predict_churn(features) -%}
    {%- if run_value('scoring') == 'udf' -%}
    marts.predict_churn_udf(
        {{- features_as_doubles(features) }}
    )
    {%- else -%}
    marts.predict_churn(object_construct(
        {%- for name in churn_model_features() %}
        '{{ name }}', {{ features }}.{{ name }},
        {%- endfor %}
        'as_of_date', cast({{ features }}.as_of_date as varchar)
    ))
    {%- endif -%}
{%- endmacro %}

{% macro features_as_doubles(features) -%}
        {%- for name in churn_model_features() %}
        cast({{ features }}.{{ name }} as double),
        {%- endfor %}
        cast(dayofyear({{ features }}.as_of_date) as double)
{%- endmacro %}

{# A field of the column `prediction` that predict_churn filled: one of those, or model_version. #}
{% macro prediction_field(field) -%}
    {{ return(adapter.dispatch('prediction_field')(field)) }}
{%- endmacro %}

{% macro duckdb__prediction_field(field) -%}
    {%- if field == 'model_version' -%} '{{ run_value('model_version') }}'
    {%- else -%} prediction.{{ field }}
    {%- endif -%}
{%- endmacro %}

{# The response has the version of its model; a message instead of a response becomes the error of this cast. #}
{% macro snowflake__prediction_field(field) -%}
    {%- if field == 'churn_probability' -%}
    cast(coalesce(prediction:churn_probability, prediction:error) as double)
    {%- else -%}
    cast(prediction:{{ field }} as {{ predicted_fields().get(field, 'varchar') }})
    {%- endif -%}
{%- endmacro %}

{# A prediction for queries that predict nothing. #}
{% macro prediction_of_nobody() -%}
    {{ return(adapter.dispatch('prediction_of_nobody')()) }}
{%- endmacro %}

{% macro duckdb__prediction_of_nobody() -%}
    {%- set fields = [] -%}
    {%- for name, type in predicted_fields().items() -%}{%- do fields.append(name ~ ' ' ~ type) -%}{%- endfor -%}
    cast(null as struct({{ fields | join(', ') }}))
{%- endmacro %}

{% macro snowflake__prediction_of_nobody() -%}
    parse_json('{}')
{%- endmacro %}
