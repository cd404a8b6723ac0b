{#
  The shop at the end of each of the last 24 months and now, as known then: customers by the segment of that day, all by
  the borders of now, what they bought in the month, and who of the earlier buyers bought again. Months end on the
  as-of date's day.
#}

{%- set months = 24 %}
{%- set horizon = run_value('horizon_days') %}

with dates as (

    {% for n in range(months + 1) -%}
    select
        {{ add_months(as_of_date(), -n) }} as as_of_date,
        {{ add_months(as_of_date(), -n - 1) }} as month_before
    {{- ' union all' if not loop.last }}
    {% endfor %}
),

known as (

    select known.*, dates.month_before
    from {{ purchases_known_at('dates') }} as known
    inner join dates on known.as_of_date = dates.as_of_date

),

bought as (

    select
        customer_id,
        as_of_date,
        max(age_days) as tenure_days,
        min(age_days) < 365 as is_active,
        min(age_days) < {{ horizon }} as bought_lately,
        max(case when age_days >= {{ horizon }} and age_days < 2 * {{ horizon }} then 1 else 0 end) as bought_before,
        max(case when purchased_on > month_before then 1 else 0 end) as bought_in_month,
        min(purchased_on) > max(month_before) as is_new,
        sum(case when purchased_on > month_before then net_amount else 0 end) as revenue,
        sum(case when age_days < 365 then net_amount else 0 end) as spend_last_365_days
    from known
    group by customer_id, as_of_date

),

history as (

    select as_of_date, max(tenure_days) as history_days
    from bought
    group by as_of_date

)

select
    bought.as_of_date as month_ends_on,
    segmented.segment,
    cast(max(history.history_days) as integer) as history_days,
    cast(count(*) as bigint) as customers,
    cast(count(case when bought.is_active then 1 end) as bigint) as active_customers,
    cast(count(case when bought.is_new then 1 end) as bigint) as new_customers,
    cast(sum(bought.bought_in_month) as bigint) as buyers,
    cast(sum(bought.revenue) as double) as revenue,
    cast(sum(bought.spend_last_365_days) as double) as spend_last_365_days,
    cast(sum(bought.bought_before) as bigint) as bought_before,
    cast(count(case when bought.bought_before = 1 and bought.bought_lately then 1 end) as bigint) as bought_again
from bought
inner join {{ rfm_segments('dates') }} as segmented
    on bought.customer_id = segmented.customer_id
    and bought.as_of_date = segmented.as_of_date
inner join history
    on bought.as_of_date = history.as_of_date
group by bought.as_of_date, segmented.segment
