{{ config(materialized='view') }}

{# Every batch prediction whose horizon has passed, with the observed outcome, unless the customer was contacted meanwhile. #}

with passed as (

    select *
    from {{ ref('churn_predictions') }}
    where source = 'batch'
        and {{ add_days('as_of_date', 'horizon_days') }} <= {{ as_of_date() }}

),

dates as (

    select distinct as_of_date from passed

),

last_purchases as (

    select
        customer_id,
        as_of_date,
        min(age_days) as recency_days
    from {{ purchases_known_at('dates') }} as known
    group by customer_id, as_of_date

)

select
    passed.customer_id,
    passed.as_of_date,
    passed.horizon_days,
    passed.model_version,
    last_purchases.recency_days,
    passed.churn_probability,
    passed.expected_spend,
    bought.customer_id is null as churned,
    coalesce(bought.spend_in_horizon, 0) as spend_in_horizon
from passed
left join last_purchases
    on passed.customer_id = last_purchases.customer_id
    and passed.as_of_date = last_purchases.as_of_date
left join {{ outcomes_after('passed') }} as bought
    on passed.customer_id = bought.customer_id
    and passed.as_of_date = bought.as_of_date
    and passed.horizon_days = bought.horizon_days
left join {{ contacted_after('passed') }} as contacted
    on passed.customer_id = contacted.customer_id
    and passed.as_of_date = contacted.as_of_date
    and passed.horizon_days = contacted.horizon_days
where contacted.customer_id is null
