{# RFM scores and segment of every customer at the as-of date, next to the segment of a month before. #}

with dates as (

    select {{ as_of_date() }} as as_of_date
    union all
    select {{ add_months(as_of_date(), -1) }} as as_of_date

),

rfm as (

    select
        customer_id,
        as_of_date,
        min(age_days) as recency_days,
        count(*) as frequency,
        sum(net_amount) as monetary
    from {{ purchases_known_at('dates') }} as known
    group by customer_id, as_of_date

),

segmented as (

    select * from {{ rfm_segments('rfm') }} as segments

)

select
    today.customer_id,
    today.as_of_date,
    cast(today.recency_days as integer) as recency_days,
    cast(today.frequency as integer) as frequency,
    cast(today.monetary as double) as monetary,
    today.r_score,
    today.f_score,
    today.m_score,
    today.segment,
    before.segment as previous_segment,
    segments.recommended_action
from segmented as today
left join segmented as before
    on today.customer_id = before.customer_id
    and before.as_of_date < today.as_of_date
inner join {{ ref('rfm_segments') }} as segments
    on today.segment = segments.segment
where today.as_of_date = {{ as_of_date() }}
