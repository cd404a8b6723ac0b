{#
  Totals of all customers at each training date that no campaign contacted within the horizon: customers, customers without a purchase within it, and spend. Where snapshots are those of a sample, base rates and levels come
  from here.
#}

with dates as (

    select as_of_date, {{ run_value('horizon_days') }} as horizon_days from {{ ref('int_training_dates') }}

),

customers as (

    select distinct customer_id, as_of_date from {{ purchases_known_at('dates') }} as known

)

select
    customers.as_of_date,
    cast(count(*) as bigint) as customers,
    cast(count(*) - count(bought.customer_id) as bigint) as churned,
    coalesce(sum(bought.spend_in_horizon), 0) as spend
from customers
left join {{ outcomes_after('dates') }} as bought
    on customers.customer_id = bought.customer_id
    and customers.as_of_date = bought.as_of_date
left join {{ ref('int_training_contacted') }} as contacted
    on customers.customer_id = contacted.customer_id
    and customers.as_of_date = contacted.as_of_date
where contacted.customer_id is null
group by customers.as_of_date
