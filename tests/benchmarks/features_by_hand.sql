-- What an analyst would write for these columns at one date, knowing that nothing else is ever asked.
create table by_hand as
with lines as (
    select * from staging.stg_shop__order_lines where ordered_on <= date '2026-06-30'
),
returns as (
    select r.order_line_key, r.customer_id, r.amount, s.ordered_on as purchased_on
    from lines as r
    join lines as s
        on s.customer_id = r.customer_id and s.ordered_at <= r.ordered_at and s.amount >= r.amount
        and (s.sku = r.sku or s.order_id = r.order_id)
    where r.is_return and not s.is_return
    qualify row_number() over (
        partition by r.order_line_key
        order by (s.order_id <> r.order_id), (s.sku <> r.sku), s.ordered_at desc, s.order_line_key
    ) = 1
),
sent_back as (
    select customer_id, purchased_on, sum(amount) as amount from returns group by all
),
purchases as (
    select l.customer_id, l.ordered_on as day, sum(l.amount) as gross,
        sum(l.amount) - coalesce(any_value(b.amount), 0) as net
    from lines as l
    left join sent_back as b on b.customer_id = l.customer_id and b.purchased_on = l.ordered_on
    where not l.is_return
    group by all
    having net > 0
),
aged as (
    select *, date '2026-06-30' - day as age,
        row_number() over w as ago, lead(date '2026-06-30' - day) over w - (date '2026-06-30' - day) as gap
    from purchases
    window w as (partition by customer_id order by day desc)
),
features as (
    select customer_id, min(age) as recency_days, count(*) as frequency, sum(net)::double as monetary,
        max(age) as tenure_days, (sum(net) / count(*))::double as average_order_value,
        sum(net) filter (age < 90) as spend_last_90_days, sum(net) filter (age < 365) as spend_last_365_days,
        (1 - sum(net)::double / sum(gross)::double) as returned_share,
        count(*) filter (age < 30) as p30, count(*) filter (age < 60) as p60, count(*) filter (age < 90) as p90,
        count(*) filter (age < 180) as p180, count(*) filter (age < 360) as p360, count(*) filter (age < 365) as p365,
        sum(power(0.5, age / 15.0)) as decayed_purchases_15_days,
        sum(power(0.5, age / 45.0)) as decayed_purchases_45_days,
        sum(power(0.5, age / 120.0)) as decayed_purchases_120_days,
        max(age) filter (ago = 2) as second, max(age) filter (ago = 3) as third, max(age) filter (ago = 5) as fifth,
        count(distinct age // 7) / (max(age) // 7 + 1) as active_weeks_share,
        avg(gap) as mean_gap_days, median(gap::double) as median_gap_days, max(gap) as max_gap_days,
        (coalesce(sum(gap), 0) + 90) / count(*) as shrunk_gap_days, (max(age) + 1) / count(*) as days_per_purchase,
        (2 * p90 - p180) / (p180 + 1) as trend_90_days, (2 * p180 - p360) / (p360 + 1) as trend_180_days
    from aged
    group by customer_id
),
-- and the segment of a month before
month_before as (
    select customer_id, min(date '2026-05-30' - day) as recency_days, count(*) as frequency, sum(net) as monetary
    from purchases where day <= date '2026-05-30' group by customer_id
),
scores_before as (
    select customer_id, least(5, 1 + floor(5 * percent_rank() over (order by -recency_days))) as r_before,
        least(5, 1 + floor(5 * percent_rank() over (order by frequency))) as f_before,
        least(5, 1 + floor(5 * percent_rank() over (order by monetary))) as m_before
    from month_before
)
select features.*, recency_days / mean_gap_days as recency_to_mean_gap, recency_days / median_gap_days as recency_to_median_gap,
    recency_days / max_gap_days as recency_to_max_gap, recency_days / shrunk_gap_days as recency_to_shrunk_gap,
    recency_days / days_per_purchase as recency_to_days_per_purchase,
    least(5, 1 + floor(5 * percent_rank() over (order by -recency_days))) as r_score,
    least(5, 1 + floor(5 * percent_rank() over (order by frequency))) as f_score,
    least(5, 1 + floor(5 * percent_rank() over (order by monetary))) as m_score,
    scores_before.* exclude (customer_id)
from features
left join scores_before using (customer_id)
