{# RFM scores and segment of every customer at the as-of date, beside the segment of a month before. #}

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

scored as (

    select
        *,
        {{ rfm_score('-recency_days') }} as r_score,
        {{ rfm_score('frequency') }} as f_score,
        {{ rfm_score('monetary') }} as m_score
    from rfm

),

segmented as (

    select
        scored.*,
        grid.segment
    from scored
    inner join {{ ref('rfm_segment_grid') }} as grid
        on scored.r_score = grid.r_score
        and floor((scored.f_score + scored.m_score + 1) / 2) = grid.fm_score

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
