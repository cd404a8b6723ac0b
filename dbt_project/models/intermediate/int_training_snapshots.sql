{#
  What was known of every customer at each training date, and what happened in the horizon after it.
  Features come from the same macro as the mart; only the label looks past the snapshot's date.
#}

with features as (

    {{ customer_features(ref('int_training_dates')) }}

),

bought as (

    select
        training_dates.as_of_date,
        purchases.customer_id,
        sum(purchases.net_amount) as spend_in_horizon
    from {{ ref('int_purchases') }} as purchases
    inner join {{ ref('int_training_dates') }} as training_dates
        on purchases.purchased_on > training_dates.as_of_date
        and purchases.purchased_on <= {{ add_days('training_dates.as_of_date', var('horizon_days')) }}
    where purchases.known_until > {{ as_of_date() }}
        and purchases.net_amount > 0
    group by training_dates.as_of_date, purchases.customer_id

)

select
    features.*,
    bought.customer_id is null as churned,
    cast(coalesce(bought.spend_in_horizon, 0) as double) as spend_in_horizon
from features
left join bought
    on features.customer_id = bought.customer_id
    and features.as_of_date = bought.as_of_date
