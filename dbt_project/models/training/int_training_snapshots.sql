{#
  Features of the customers at each training date, and the observed outcome: of all of them, or of a big shop's sample. Features come from the same macro as the mart; only the last columns look past the snapshot's date.
#}

with dates as (

    select as_of_date, {{ run_value('horizon_days') }} as horizon_days from {{ ref('int_training_dates') }}

),

-- those whose clv_days have passed
long_ago as (

    select as_of_date, {{ run_value('clv_days') }} as horizon_days
    from dates
    where as_of_date <= {{ add_days(as_of_date(), -run_value('clv_days')) }}

),

features as (

    {{ customer_features('dates', sampled=true) }}

),

next_purchases as (

    select
        features.customer_id,
        features.as_of_date,
        min({{ days_between('features.as_of_date', 'purchases.purchased_on') }}) as days_to_next_purchase
    from features
    inner join {{ ref('int_purchases') }} as purchases
        on features.customer_id = purchases.customer_id
        and purchases.purchased_on > features.as_of_date
    where purchases.known_until > {{ as_of_date() }}
        and purchases.net_amount > 0
    group by features.customer_id, features.as_of_date

)

select
    features.*,
    segments.segment,
    bought.customer_id is null as churned,
    coalesce(bought.spend_in_horizon, 0) as spend_in_horizon,
    cast(next_purchases.days_to_next_purchase as integer) as days_to_next_purchase,
    case when long_ago.as_of_date is not null then coalesce(bought_in_clv_window.spend_in_horizon, 0) end
        as spend_in_clv_window
from features
inner join {{ rfm_segments('dates', sampled=true) }} as segments
    on features.customer_id = segments.customer_id
    and features.as_of_date = segments.as_of_date
left join {{ outcomes_after('dates', sampled=true) }} as bought
    on features.customer_id = bought.customer_id
    and features.as_of_date = bought.as_of_date
left join long_ago
    on features.as_of_date = long_ago.as_of_date
left join {{ outcomes_after('long_ago', sampled=true) }} as bought_in_clv_window
    on features.customer_id = bought_in_clv_window.customer_id
    and features.as_of_date = bought_in_clv_window.as_of_date
left join next_purchases
    on features.customer_id = next_purchases.customer_id
    and features.as_of_date = next_purchases.as_of_date
