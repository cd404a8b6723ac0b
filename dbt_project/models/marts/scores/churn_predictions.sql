{#
  One row per customer, as-of date, horizon and source; a rerun of a date replaces that date's batch and keeps
  all others, and rows of other sources. Without a matching model no customer is scored.

  The history of this table cannot be rebuilt. A new column is added and is NULL for the past; a full refresh is disabled. In Snowflake: not transient, so that time travel and fail-safe protect it; clustered by the
  date that the merge and every reader filter by; and scored into a temporary table first, so that the table is not locked while the API responds.
#}
{{ config(
    materialized='incremental',
    incremental_strategy='merge_batch',
    unique_key='prediction_id',
    on_schema_change='append_new_columns',
    full_refresh=false,
    transient=false,
    cluster_by=['as_of_date'],
    tmp_relation_type='table',
    post_hook=[
        "delete from {{ this }} where source = 'batch' and as_of_date = {{ as_of_date() }}
        and horizon_days = {{ run_value('horizon_days') }}
        and scored_at <> cast('{{ run_value(\"scored_at\") }}' as timestamp)",
        "{% if run_value('predictions_kept_days') %}delete from {{ this }} where as_of_date <
        {{ add_days(as_of_date(), '-' ~ run_value('predictions_kept_days')) }}{% endif %}",
    ]
) }}

with scored as (

    select
        features.customer_id,
        features.as_of_date,
        {{ predict_churn('features') if run_value('model_version') else prediction_of_nobody() }} as prediction
    from {{ ref('customer_features') }} as features
    {% if not run_value('model_version') %}where false{% endif %}

)

select
    md5(customer_id || '|' || cast(as_of_date as varchar) || '|{{ run_value("horizon_days") }}|batch') as prediction_id,
    customer_id,
    as_of_date,
    {{ run_value('horizon_days') }} as horizon_days,
    {{ prediction_field('clv_days') }} as clv_days,
    {{ prediction_field('churn_probability') }} as churn_probability,
    {{ risk_band(prediction_field('churn_probability')) }} as risk_band,
    {{ prediction_field('expected_spend') }} as expected_spend,
    {% for field in ['alive_probability', 'lifecycle', 'clv', 'clv_low', 'clv_high', 'expected_loss', 'win_back_value'] -%}
    {{ prediction_field(field) }} as {{ field }},
    {% endfor -%}
    {% for column, field in next_order_fields().items() -%}
    {{ add_days('as_of_date', 'cast(ceil(' ~ prediction_field(field) ~ ') as integer)') }} as {{ column }},
    {% endfor -%}
    {% for field in predicted_fields() if field.startswith('reason_') -%}
    {{ prediction_field(field) }} as {{ field }},
    {% endfor -%}
    cast({{ prediction_field('model_version') }} as varchar) as model_version,
    'batch' as source,
    cast('{{ run_value("scored_at") }}' as timestamp) as scored_at
from scored
