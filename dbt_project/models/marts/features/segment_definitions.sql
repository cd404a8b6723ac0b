{# What each segment means in this shop, in days, orders and money. #}

with rules as (

    select
        rules.*,
        borders.currency,
        borders.window_days,
        {% for score, figure in scored_figures().items() -%}
        {% set letter = score[0] -%}
        {% for edge, rule in (('lower', letter ~ '_from'), ('upper', letter ~ '_to + 1')) -%}
        case rules.{{ rule }} {% for n in range(2, 6) %}when {{ n }} then borders.{{ figure }}_for_{{ n }} {% endfor %}end as {{ figure }}_{{ edge }}{{ ',' }}
        {% endfor -%}
        {% endfor -%}
        borders.as_of_date
    from {{ ref('rfm_segment_rules') }} as rules
    cross join {{ kept_borders() }} as borders

),

-- lower and upper scores have borders: better is fewer days, and more orders and money
boxes as (

    select
        segment,
        row_number() over (partition by segment order by r_to desc, f_to desc, m_to desc, r_from, f_from, m_from) as position,
        currency,
        coalesce(recency_days_upper + 1, 0) as days_from,
        case when r_from = 1 then window_days - 1 else recency_days_lower end as days_to,
        case when f_from = 1 then 1 else orders_in_window_lower end as orders_from,
        orders_in_window_upper - 1 as orders_to,
        case when m_from = 1 then 0 else spend_in_window_lower end as spend_from,
        spend_in_window_upper as spend_below
    from rules
    where r_from > 0

),

described as (

    select
        segment,
        position,
        case
            when days_to = 0 then 'bought today'
            when days_from = 0 then 'silent for at most ' || {{ counted('days_to', 'day') }}
            when days_from = days_to then 'silent for ' || {{ counted('days_to', 'day') }}
            else 'silent for ' || cast(days_from as varchar) || ' to ' || {{ counted('days_to', 'day') }}
        end
        || case
            when orders_from = orders_to then ', ' || {{ counted('orders_from', 'order') }}
            when orders_to is null then ', ' || cast(orders_from as varchar) || ' or more orders'
            else ', ' || cast(orders_from as varchar) || ' to ' || {{ counted('orders_to', 'order') }}
        end
        || case
            when spend_from = 0 and spend_below is null then ''
            when spend_from = 0 then ', less than ' || {{ amount_in_words('spend_below') }}
            when spend_below is null then ', ' || {{ amount_in_words('spend_from') }} || ' or more'
            else ', ' || {{ amount_in_words('spend_from') }} || ' to less than ' || {{ amount_in_words('spend_below') }}
        end as definition
    from boxes
    where days_from <= days_to
        and orders_from <= coalesce(orders_to, orders_from)
        and spend_from < coalesce(spend_below, spend_from + 1)

),

joined as (

    select segment, {{ dbt.listagg('definition', "'; or '", 'order by position') }} as definition
    from described
    group by segment

)

select
    segments.segment,
    cast(segments.position as integer) as position,
    segments.rules_expect,
    segments.meaning,
    case
        when segments.segment in (select segment from {{ ref('rfm_segment_rules') }} where r_from = 0)
            then 'no order in the last {{ segment_window_days() }} days'
        else coalesce(joined.definition, 'nobody: the figures of customers here are too alike')
    end as definition,
    {{ segment_window_days() }} as window_days,
    borders.as_of_date as borders_as_of_date,
    {{ add_months('borders.as_of_date', var('segment_review_months')) }} as review_due_on,
    borders.history_days < {{ segment_window_days() }} as is_provisional
from {{ ref('rfm_segments') }} as segments
left join joined on segments.segment = joined.segment
left join {{ kept_borders() }} as borders on true
