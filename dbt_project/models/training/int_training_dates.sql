{#
  The monthly past dates with an outcome known by the as-of date: the newest is one horizon ago. And the date a
  year before the as-of date, for the season that the model is to follow.
  A date before the shop had half a horizon of history is useless and left out.
#}

with history as (

    select min(purchased_on) as first_purchase_on from {{ ref('int_purchases') }}

),

candidates as (

    {% for months_ago in range(var('training_snapshots')) -%}
    select {{ add_months(add_days(as_of_date(), -run_value('horizon_days')), -months_ago) }} as as_of_date
    union
    {% endfor -%}
    select {{ add_days(as_of_date(), -365) }}

)

select candidates.as_of_date
from candidates
cross join history
where candidates.as_of_date <= {{ add_days(as_of_date(), -run_value('horizon_days')) }}
    and {{ days_between('history.first_purchase_on', 'candidates.as_of_date') }} * 2 >= {{ run_value('horizon_days') }}
