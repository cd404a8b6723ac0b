{#
  One row per customer, as-of date, horizon and source; a rerun of a date replaces that date's batch and keeps
  all others, and rows of other sources. Without a fitting model nobody is scored.
#}
{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='prediction_id',
    on_schema_change='append_new_columns',
    full_refresh=false,
    post_hook="delete from {{ this }} where source = 'batch' and as_of_date = " ~ as_of_date()
        ~ " and horizon_days = " ~ var('horizon_days') ~ " and scored_at <> cast('" ~ var('scored_at') ~ "' as timestamp)"
) }}

with scored as (

    select
        features.customer_id,
        features.as_of_date,
        {% if var('model_version') -%}
        cast({{ predict_churn('features') }} as double) as churn_probability
        {% else -%}
        cast(null as double) as churn_probability
        {% endif %}
    from {{ ref('customer_features') }} as features
    {% if not var('model_version') %}where false{% endif %}

)

select
    md5(customer_id || '|' || cast(as_of_date as varchar) || '|{{ var("horizon_days") }}|batch') as prediction_id,
    customer_id,
    as_of_date,
    {{ var('horizon_days') }} as horizon_days,
    churn_probability,
    {{ risk_band('churn_probability') }} as risk_band,
    cast({{ "'" ~ var('model_version') ~ "'" if var('model_version') else 'null' }} as varchar) as model_version,
    'batch' as source,
    cast('{{ var("scored_at") }}' as timestamp) as scored_at
from scored
