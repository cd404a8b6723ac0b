{#
  The lifecycle of the shop at the end of each month of monthly_customers, as the model of this run sees those days:
  from features as known then, by parameters that were fitted to what came later too. The as-of date is that of
  the run's own predictions. Past days of a large shop are those of the customers that models are trained on, brought up
  to all of each segment: 24 days of everyone would be 24 times the scoring.
#}

with dates as (

    select distinct month_ends_on as as_of_date
    from {{ ref('monthly_customers') }}
    where month_ends_on < {{ as_of_date() }}

),

features as (

    {{ customer_features('dates', sampled=true) }}

),

scored as (

    select
        features.customer_id,
        features.as_of_date,
        {{ predict_churn('features') if run_value('model_version') else prediction_of_nobody() }} as prediction
    from features
    {% if not run_value('model_version') %}where false{% endif %}

),

staged as (

    select
        scored.as_of_date,
        segmented.segment,
        cast({{ prediction_field('lifecycle') }} as varchar) as lifecycle
    from scored
    inner join {{ rfm_segments('dates', sampled=true) }} as segmented
        on scored.customer_id = segmented.customer_id
        and scored.as_of_date = segmented.as_of_date
    where {{ prediction_field('churn_probability') }} >= 0  -- read, so that an error of the API is one here
    union all
    select
        predictions.as_of_date,
        customers.segment,
        predictions.lifecycle
    from {{ batch_predictions() }} as predictions
    inner join {{ ref('customer_rfm') }} as customers
        on predictions.customer_id = customers.customer_id
    where predictions.lifecycle is not null

),

counted as (

    select
        as_of_date,
        segment,
        lifecycle,
        count(*) as customers
    from staged
    group by as_of_date, segment, lifecycle

),

totals as (

    select
        as_of_date,
        segment,
        sum(customers) as customers
    from counted
    group by as_of_date, segment

)

select
    counted.as_of_date as month_ends_on,
    counted.segment,
    counted.lifecycle,
    counted.customers * (cast(of_all.customers as double) / totals.customers) as customers,
    cast(counted.customers as bigint) as scored_customers
from counted
inner join totals
    on counted.as_of_date = totals.as_of_date
    and counted.segment = totals.segment
inner join {{ ref('monthly_customers') }} as of_all
    on counted.as_of_date = of_all.month_ends_on
    and counted.segment = of_all.segment
