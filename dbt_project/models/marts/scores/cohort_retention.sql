{# How many of the customers who first bought in a quarter bought in each later one that has ended, and for how much. #}

with customers as (

    select
        customer_id,
        cast({{ dbt.date_trunc('quarter', 'first_purchased_on') }} as date) as cohort_quarter,
        segment,
        country,
        channel,
        risk_band
    from {{ ref('marketing_customers') }}

),

cohorts as (

    select cohort_quarter, segment, country, channel, risk_band, count(*) as customers
    from customers
    group by cohort_quarter, segment, country, channel, risk_band

),

dates as (

    select {{ as_of_date() }} as as_of_date

),

active_quarters as (

    select
        customer_id,
        cast({{ dbt.date_trunc('quarter', 'purchased_on') }} as date) as quarter,
        sum(net_amount) as revenue
    from {{ purchases_known_at('dates') }} as known
    group by customer_id, cast({{ dbt.date_trunc('quarter', 'purchased_on') }} as date)

),

numbers as (

    {% for n in range(200) -%}
    select {{ n }} as n{{ ' union all' if not loop.last }}
    {% endfor %}
),

-- each since the first, also one in which no customer bought; the running quarter is left out
quarters as (

    select cast({{ dbt.dateadd('quarter', 'numbers.n', 'first_cohort.quarter') }} as date) as quarter
    from numbers
    cross join (select min(cohort_quarter) as quarter from cohorts) as first_cohort
    where {{ dbt.dateadd('quarter', 'numbers.n', 'first_cohort.quarter') }}
        < {{ dbt.date_trunc('quarter', add_days(as_of_date(), 1)) }}

),

active as (

    select
        customers.cohort_quarter,
        customers.segment,
        customers.country,
        customers.channel,
        customers.risk_band,
        active_quarters.quarter,
        count(*) as customers,
        sum(active_quarters.revenue) as revenue
    from customers
    inner join active_quarters on customers.customer_id = active_quarters.customer_id
    group by
        customers.cohort_quarter, customers.segment, customers.country, customers.channel, customers.risk_band,
        active_quarters.quarter

)

select
    cohorts.cohort_quarter,
    cast({{ dbt.datediff('cohorts.cohort_quarter', 'quarters.quarter', 'quarter') }} as integer) as quarters_since,
    cohorts.segment,
    cohorts.country,
    cohorts.channel,
    cohorts.risk_band,
    cast(cohorts.customers as bigint) as customers,
    cast(coalesce(active.customers, 0) as bigint) as active_customers,
    cast(coalesce(active.revenue, 0) as double) as revenue
from cohorts
inner join quarters on cohorts.cohort_quarter <= quarters.quarter
left join active
    on cohorts.cohort_quarter = active.cohort_quarter
    and quarters.quarter = active.quarter
    and cohorts.segment = active.segment
    and coalesce(cohorts.country, '') = coalesce(active.country, '')
    and coalesce(cohorts.channel, '') = coalesce(active.channel, '')
    and coalesce(cohorts.risk_band, '') = coalesce(active.risk_band, '')
