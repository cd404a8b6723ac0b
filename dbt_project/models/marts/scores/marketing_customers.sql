{# The wide table for marketing, one row per customer: segment, risk, value and recommended action. #}

with dates as (

    select {{ as_of_date() }} as as_of_date

),

last_period as (

    select customer_id, sum(net_amount) as spend
    from {{ purchases_known_at('dates') }} as known
    where age_days < {{ run_value('horizon_days') }}
    group by customer_id

),

predictions as (

    select * from {{ batch_predictions() }} as predictions

)

select
    rfm.customer_id,
    rfm.as_of_date,
    rfm.segment,
    rfm.previous_segment,
    rfm.bought_in_last_month,
    rfm.recommended_action,
    rfm.queue,
    cast({{ by_queue('predictions.expected_loss', 'predictions.win_back_value', 'predictions.clv') }} as double) as queue_value,
    cast({{ why_in_queue() }} as varchar) as why,
    rfm.r_score,
    rfm.f_score,
    rfm.m_score,
    rfm.recency_days,
    rfm.frequency,
    rfm.monetary,
    features.tenure_days,
    {{ add_days(as_of_date(), '-features.tenure_days') }} as first_purchased_on,
    features.average_order_value,
    features.spend_last_365_days,
    cast(coalesce(last_period.spend, 0) as double) as spend_last_period,
    predictions.churn_probability,
    predictions.risk_band,
    predictions.expected_spend,
    predictions.alive_probability,
    predictions.lifecycle,
    predictions.clv,
    predictions.clv_low,
    predictions.clv_high,
    predictions.expected_loss,
    predictions.win_back_value,
    predictions.clv_days,
    predictions.next_order_earliest_on,
    predictions.next_order_on,
    predictions.next_order_latest_on,
    predictions.next_order_if_back_on,
    predictions.reason_1,
    predictions.reason_2,
    predictions.reason_3,
    contacts.email,
    contacts.opted_out,
    coalesce(not contacts.opted_out, true) and reserved.customer_id is null as may_be_contacted,
    cast(coalesce(contacts.consents_to_email, 'unknown') as varchar) as consents_to_email,
    cast(coalesce(contacts.consents_to_advertising, 'unknown') as varchar) as consents_to_advertising,
    attributes.country,
    attributes.channel,
    cast({{ "'" ~ run_value('currency') ~ "'" if run_value('currency') else 'null' }} as varchar) as currency,
    predictions.model_version,
    predictions.scored_at
from {{ ref('customer_rfm') }} as rfm
inner join {{ ref('customer_features') }} as features
    on rfm.customer_id = features.customer_id
inner join {{ ref('int_customer_attributes') }} as attributes
    on rfm.customer_id = attributes.customer_id
left join {{ ref('int_customer_contacts') }} as contacts
    on rfm.customer_id = contacts.customer_id
left join {{ ref('int_reserved_customers') }} as reserved
    on rfm.customer_id = reserved.customer_id
left join last_period
    on rfm.customer_id = last_period.customer_id
left join predictions
    on rfm.customer_id = predictions.customer_id
