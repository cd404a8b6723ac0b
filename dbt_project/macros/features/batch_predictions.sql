{# A subquery of this run's own predictions: of its as-of date and horizon, and not of a caller of the API. #}
{% macro batch_predictions() -%}
    (
        select *
        from {{ ref('churn_predictions') }}
        where source = 'batch'
            and as_of_date = {{ as_of_date() }}
            and horizon_days = {{ run_value('horizon_days') }}
    )
{%- endmacro %}
