{{ config(materialized='view') }}

{# Every batch prediction whose horizon has passed, with what happened, unless the customer was contacted meanwhile. #}

with predictions as (

    select
        *,
        {{ add_days('as_of_date', 'horizon_days') }} as horizon_ends_on
    from {{ ref('churn_predictions') }}
    where source = 'batch'

),

passed as (

    select * from predictions where horizon_ends_on <= {{ as_of_date() }}

)

select
    passed.customer_id,
    passed.as_of_date,
    passed.horizon_days,
    passed.model_version,
    passed.churn_probability,
    passed.expected_spend,
    bought.customer_id is null as churned,
    coalesce(bought.spend_in_horizon, 0) as spend_in_horizon
from passed
left join {{ outcomes_after('passed') }} as bought
    on passed.customer_id = bought.customer_id
    and passed.as_of_date = bought.as_of_date
    and passed.horizon_days = bought.horizon_days
where not exists (
    select 1
    from {{ ref('int_campaign_contacts') }} as contacts
    where contacts.customer_id = passed.customer_id
        and contacts.contacted_on <= passed.horizon_ends_on
        and contacts.attribution_window_end > passed.as_of_date
)
