{# RFM scores and segment of every customer at the as-of date, next to the segment of a month before by the same borders. #}

with dates as (

    select {{ as_of_date() }} as as_of_date
    union all
    select {{ add_months(as_of_date(), -1) }} as as_of_date

),

segmented as (

    select * from {{ rfm_segments('dates') }} as segments

)

select
    today.customer_id,
    today.as_of_date,
    today.recency_days,
    today.frequency,
    today.monetary,
    today.orders_in_window,
    today.spend_in_window,
    today.r_score,
    today.f_score,
    today.m_score,
    today.segment,
    before.segment as previous_segment,
    today.recency_days < {{ days_between(add_months(as_of_date(), -1), as_of_date()) }} as bought_in_last_month,
    segments.recommended_action
from segmented as today
left join segmented as before
    on today.customer_id = before.customer_id
    and before.as_of_date < today.as_of_date
inner join {{ ref('rfm_segments') }} as segments
    on today.segment = segments.segment
where today.as_of_date = {{ as_of_date() }}
