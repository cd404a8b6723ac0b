{#
  From which days, orders and money on a score holds: fifths of the customers who bought in the window, decided once
  and kept. Decided again where none fit the window and the currency, where they come from less history than a window,
  and where a review is requested. A decision is added and none is changed, so that a run as of an earlier day finds
  those of its time.
#}
with dates as (

    select as_of_date
    from (select {{ as_of_date() }} as as_of_date) as of_run
    {% if is_incremental() and not run_value('review_segments') -%}
    where not exists (
        select 1
        from {{ this }} as kept
        where {{ borders_fit('kept') }} and kept.history_days >= {{ segment_window_days() }}
    )
    {%- endif %}

),

figures as (

    select * from {{ rfm_figures('dates') }} as figures

),

buyers as (

    select
        *,
        {{ fifth_of('-recency_days') }} as r_score,
        {{ fifth_of('orders_in_window') }} as f_score,
        {{ fifth_of('spend_in_window') }} as m_score,
        -- whole amounts are easier to remember
        case when spend_in_window >= 10 then floor(spend_in_window) else spend_in_window end as spend_border
    from figures
    where orders_in_window > 0

)

select
    {{ as_of_date() }} as as_of_date,
    cast('{{ run_value("scored_at") }}' as timestamp) as decided_at,
    {{ segment_window_days() }} as window_days,
    cast({{ "'" ~ run_value('currency') ~ "'" if run_value('currency') else 'null' }} as varchar) as currency,
    (select cast(max(tenure_days) + 1 as integer) from figures) as history_days,
    cast(count(*) as bigint) as customers,
    {% for n in range(2, 6) -%}
    max(case when r_score >= {{ n }} then recency_days end) as recency_days_for_{{ n }},
    {% endfor -%}
    {% for n in range(2, 6) -%}
    min(case when f_score >= {{ n }} then orders_in_window end) as orders_in_window_for_{{ n }},
    {% endfor -%}
    {% for n in range(2, 6) -%}
    min(case when m_score >= {{ n }} then spend_border end) as spend_in_window_for_{{ n }}{{ ',' if not loop.last }}
    {% endfor -%}
from buyers
having count(*) > 0
