{{ config(materialized='table') }}

{#
  Lines whose date cannot be right, so that one typing error does not move the day as of which everything is computed:
  later than the run, or long after or before all other business of the source. Where the shop numbers its orders in
  time, the order's number says when it was placed; else the line is rejected. There are few or none.

  Sparse last days are ordinary business: a shop may rest, and a small one does not sell every day. What ends it is
    a silence   of at least two weeks, three times as long as any of the 200 days with business before it, ten times as
                long as usual, and after it neither 2 % of the lines nor a stretch of business: two orders or more, on days
                half as frequent as usual, and a tenth of the usual orders (on five days after 300 days of silence)
    pre-orders  a last stretch in which most days have but orders whose numbers had been given out before
  AS_OF on or after such a day says that it is right.
#}

{% set run_date = "cast('" ~ run_value('run_date') ~ "' as date)" %}
{% set given_as_of = "cast('" ~ (run_value('given_as_of') or '1900-01-01') ~ "' as date)" %}
{% set in_time = 'over (partition by source_name order by ordered_on)' %}
{% set first_plausible = "cast('1990-01-01' as date)" %}

with lines as (

    select
        source_name,
        is_return,
        ordered_on,
        coalesce(order_number, -1) as order_number,
        count(*) as line_count,
        case when is_return then 0 when coalesce(order_number, -1) >= 0 then 1 else count(*) end as order_count
    from {{ ref('stg_shop__order_lines_validated') }}
    where rejection_reason is null
    group by source_name, is_return, ordered_on, coalesce(order_number, -1)

),

days as (

    select
        source_name,
        ordered_on,
        sum(line_count) as line_count,
        sum(order_count) as order_count,
        median(case when not is_return and order_number >= 0 then order_number end) as usual_number,
        max(case when not is_return and order_number >= 0 then order_number end) as highest_number
    from lines
    where ordered_on <= {{ run_date }} and ordered_on >= {{ first_plausible }}
    group by source_name, ordered_on

),

paced as (

    select
        *,
        lag(ordered_on) {{ in_time }} as previous_on,
        lag(usual_number) {{ in_time }} as previous_number,
        {{ days_between('lag(ordered_on) ' ~ in_time, 'ordered_on') }} as silent_days,
        row_number() {{ in_time }} as active_days,
        sum(line_count) over (
            partition by source_name order by ordered_on desc rows between unbounded preceding and current row
        ) as lines_from_here,
        sum(line_count) over (partition by source_name) as lines_in_all,
        max(ordered_on) over (partition by source_name) as last_on,
        min(ordered_on) over (partition by source_name) as first_on
    from days

),

measured as (

    select
        *,
        max(silent_days) over (
            partition by source_name order by ordered_on rows between 200 preceding and 1 preceding
        ) as longest_before,
        max(silent_days) over (
            partition by source_name order by ordered_on desc rows between 200 preceding and 1 preceding
        ) as longest_after
    from paced

),

sources as (

    select
        source_name,
        max(lines_in_all) as lines_in_all,
        -- whether orders are numbered in time: nearly every day has higher numbers than the day before
        coalesce(count(case when usual_number > previous_number then 1 end) >= 0.9 * nullif(count(previous_number), 0), false)
            and count(previous_number) >= 20 as is_numbered_in_time,
        median(silent_days) as usual_gap_days,
        median(case when order_count > 0 then order_count end) as usual_orders
    from measured
    group by source_name

),

-- a silence that is not the shop's own begins another stretch of business, or of wrong dates
stretched as (

    select
        measured.*,
        sources.usual_gap_days,
        sources.usual_orders,
        sum(
            case
                when measured.active_days > 20
                    and measured.silent_days >= 14
                    and measured.silent_days > 3 * measured.longest_before
                    and measured.silent_days > 10 * sources.usual_gap_days
                    and (measured.lines_from_here = 1 or measured.lines_from_here * 50 <= measured.lines_in_all)
                    then 1
                else 0
            end
        ) over (
            partition by measured.source_name order by measured.ordered_on
            rows between unbounded preceding and current row
        ) as stretch
    from measured
    inner join sources on measured.source_name = sources.source_name

),

stretches as (

    select
        source_name,
        stretch,
        min(ordered_on) as begins_on,
        min(previous_on) as silent_from,
        -- no typing errors, which are far apart: days with business are half as frequent as usual, and orders a tenth
        sum(order_count) >= 2
            and (max(silent_days) <= 300 or count(*) >= 5)
            and count(*) * max(usual_gap_days) * 2 >= {{ days_between('min(ordered_on)', 'max(ordered_on)') }} + 1
            and sum(order_count) * max(usual_gap_days) * 10
                >= max(usual_orders) * ({{ days_between('min(ordered_on)', 'max(ordered_on)') }} + 1) as is_business
    from stretched
    group by source_name, stretch

),

silences as (

    select wrong.source_name, min(wrong.silent_from) as last_ordinary_on
    from stretches as wrong
    left join stretches as later
        on wrong.source_name = later.source_name
        and wrong.stretch <= later.stretch
        and later.is_business
    where wrong.stretch > 0 and later.stretch is null and wrong.begins_on > {{ given_as_of }}
    group by wrong.source_name

),

beginnings as (

    select source_name, max(ordered_on) as first_ordinary_on
    from measured
    where silent_days >= 730
        and silent_days > 3 * longest_after
        and (lines_in_all - lines_from_here) * 100 <= lines_in_all
    group by source_name

),

placed_before as (

    select later.source_name, later.ordered_on
    from measured as later
    inner join measured as earlier
        on later.source_name = earlier.source_name
        and later.ordered_on > earlier.ordered_on
        and later.highest_number < earlier.usual_number
    inner join sources
        on later.source_name = sources.source_name
        and sources.is_numbered_in_time
    where later.lines_from_here * 20 <= later.lines_in_all
        and later.ordered_on > {{ given_as_of }}
    group by later.source_name, later.ordered_on
    having count(*) >= 2

),

tails as (

    select
        measured.*,
        placed_before.ordered_on is null as is_ordinary,
        sum(case when placed_before.ordered_on is null then 0 else 1 end) over (
            partition by measured.source_name order by measured.ordered_on desc
            rows between unbounded preceding and 1 preceding
        ) as placed_before_after,
        sum(case when placed_before.ordered_on is null then 1 else 0 end) over (
            partition by measured.source_name order by measured.ordered_on desc
            rows between unbounded preceding and 1 preceding
        ) as ordinary_after
    from measured
    left join placed_before
        on measured.source_name = placed_before.source_name
        and measured.ordered_on = placed_before.ordered_on

),

pre_orders as (

    select source_name, max(ordered_on) as last_ordinary_on
    from tails
    where is_ordinary
        and placed_before_after > 2 * ordinary_after
        and {{ days_between('ordered_on', 'last_on') }} > 3
        -- and they are fewer than there are in ordinary business
        and (lines_from_here - line_count) * ({{ days_between('first_on', 'ordered_on') }} + 1)
            < 0.7 * (lines_in_all - lines_from_here + line_count) * {{ days_between('ordered_on', 'last_on') }}
    group by source_name

),

bounds as (

    select
        sources.source_name,
        sources.lines_in_all,
        sources.is_numbered_in_time,
        coalesce(beginnings.first_ordinary_on, {{ first_plausible }}) as first_on,
        coalesce(silences.last_ordinary_on, {{ run_date }}) as last_on,
        least(coalesce(silences.last_ordinary_on, {{ run_date }}), coalesce(pre_orders.last_ordinary_on, {{ run_date }}))
            as last_sale_on
    from sources
    left join beginnings on sources.source_name = beginnings.source_name
    left join silences on sources.source_name = silences.source_name
    left join pre_orders on sources.source_name = pre_orders.source_name

),

misdated as (

    select
        lines.*,
        case
            when lines.ordered_on > {{ run_date }} then 'date in the future'
            when lines.ordered_on < bounds.first_on or bounds.source_name is null then 'date long before all others'
            else 'date long after all others'
        end as reason,
        coalesce(bounds.is_numbered_in_time and not lines.is_return, false)
            and sum(lines.line_count) over (partition by lines.source_name) * 20 <= bounds.lines_in_all as is_numbered
    from lines
    left join bounds on lines.source_name = bounds.source_name
    where lines.ordered_on > {{ run_date }}
        or lines.ordered_on < coalesce(bounds.first_on, {{ first_plausible }})
        or lines.ordered_on > case when lines.is_return then bounds.last_on else bounds.last_sale_on end

),

-- from which number on orders were placed on a day
numbers as (

    select
        measured.source_name,
        measured.ordered_on,
        case
            when row_number() over (partition by measured.source_name order by measured.usual_number, measured.ordered_on) = 1
                then 0
            else measured.usual_number
        end as from_number,
        lead(measured.usual_number) over (partition by measured.source_name order by measured.usual_number, measured.ordered_on)
            as until_number
    from measured
    inner join bounds
        on measured.source_name = bounds.source_name
        and measured.ordered_on between bounds.first_on and bounds.last_sale_on
    where measured.usual_number is not null

)

select
    misdated.source_name,
    misdated.is_return,
    misdated.ordered_on,
    misdated.order_number,
    misdated.reason,
    numbers.ordered_on as placed_on,
    cast(misdated.line_count as bigint) as line_count
from misdated
left join numbers
    on misdated.is_numbered
    and misdated.source_name = numbers.source_name
    and misdated.order_number >= numbers.from_number
    and (misdated.order_number < numbers.until_number or numbers.until_number is null)
