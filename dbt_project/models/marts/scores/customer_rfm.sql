{#
  RFM scores and segment of every customer at the as-of date, next to the segment of a month before by the same
  borders; and what to do, which segment, lifecycle and risk agree on. So it is built after scoring.
#}

with dates as (

    select {{ as_of_date() }} as as_of_date
    union all
    select {{ add_months(as_of_date(), -1) }} as as_of_date

),

segmented as (

    select * from {{ rfm_segments('dates') }} as segments

),

today as (

    select segmented.*, predictions.lifecycle, predictions.risk_band
    from segmented
    left join {{ batch_predictions() }} as predictions
        on segmented.customer_id = predictions.customer_id
    where segmented.as_of_date = {{ as_of_date() }}

),

-- of the seed's rows that fit, the one that says most: of the lifecycle, then of the risk, then of the segment
chosen as (

    select
        found.segment,
        found.lifecycle,
        found.risk_band,
        actions.queue,
        actions.recommended_action
    from (select distinct segment, lifecycle, risk_band from today) as found
    inner join {{ ref('recommended_actions') }} as actions
        on actions.lifecycle in (found.lifecycle, 'any')
        and actions.risk_band in (found.risk_band, 'any')
        and actions.segment in (found.segment, 'any')
    qualify row_number() over (
        partition by found.segment, found.lifecycle, found.risk_band
        order by
            case when actions.lifecycle = 'any' then 1 else 0 end,
            case when actions.risk_band = 'any' then 1 else 0 end,
            case when actions.segment = 'any' then 1 else 0 end
    ) = 1

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
    chosen.recommended_action,
    chosen.queue
from today
left join segmented as before
    on today.customer_id = before.customer_id
    and before.as_of_date < {{ as_of_date() }}
left join chosen
    on today.segment = chosen.segment
    and coalesce(today.lifecycle, '') = coalesce(chosen.lifecycle, '')
    and coalesce(today.risk_band, '') = coalesce(chosen.risk_band, '')
