{#
  The features of every customer at each date of `dates` (a relation with a column as_of_date), from what was
  known by the end of that day and nothing later. One definition for the mart and for the training snapshots.
  Names, units and meanings are in functions/churn_api/contract.py; the order of columns is the contract's, and so are
  the lengths of windows, which are read from the names.
  What is divided is a double: Snowflake divides other numbers to six decimals only.
  `sampled`: only of the customers that models are trained on.
#}
{% macro customer_features(dates, sampled=false) %}
{%- set trends = feature_days('trend_{}_days') -%}
{%- set counted = feature_days('purchases_last_{}_days') -%}
{%- for trend in trends -%}
    {%- for days in (trend, 2 * trend) if days not in counted -%}{%- do counted.append(days) -%}{%- endfor -%}
{%- endfor %}
with known as {{ purchases_known_at(dates, sampled) }},

ordered as (

    select
        *,
        row_number() over (partition by customer_id, as_of_date order by age_days) as purchases_ago,
        lead(age_days) over (partition by customer_id, as_of_date order by age_days) - age_days as gap_days
    from known

),

aggregated as (

    select
        customer_id,
        as_of_date,
        min(age_days) as recency_days,
        count(*) as frequency,
        cast(sum(net_amount) as double) as monetary,
        max(age_days) as tenure_days,
        cast(sum(gross_amount) as double) as gross_amount,
        {% for days in feature_days('spend_last_{}_days') -%}
        sum(case when age_days < {{ days }} then net_amount else 0 end) as spend_last_{{ days }}_days,
        {% endfor -%}
        {% for days in counted -%}
        count(case when age_days < {{ days }} then 1 end) as purchases_last_{{ days }}_days,
        {% endfor -%}
        {% for days in feature_days('decayed_purchases_{}_days') -%}
        -- rounded, because the order in which an engine adds must not be seen
        round(sum(power(0.5, cast(age_days as double) / {{ days }})), 9) as decayed_purchases_{{ days }}_days,
        {% endfor -%}
        {% for ordinal in feature_parts('days_since_{}_last_purchase') -%}
        max(case when purchases_ago = {{ ordinal[:-2] }} then age_days end) as days_since_{{ ordinal }}_last_purchase,
        {% endfor -%}
        count(distinct floor(cast(age_days as double) / 7)) as active_weeks,
        sum(gap_days) as sum_of_gaps,
        cast(sum(gap_days * gap_days) as double) as sum_of_squared_gaps,
        -- a year is 365 days: the coming horizon's weeks, so many years ago
        count(case when mod(age_days, 365) >= 365 - {{ run_value('horizon_days') }} then 1 end) as purchases_same_weeks,
        cast(nullif(sum(product_lines), 0) as double) as product_lines,
        median(cast(gap_days as double)) as median_gap_days,
        max(gap_days) as max_gap_days
    from ordered
    group by customer_id, as_of_date

),

derived as (

    select
        *,
        cast(sum_of_gaps as double) / nullif(frequency - 1, 0) as mean_gap_days,
        cast(coalesce(sum_of_gaps, 0) + {{ run_value('horizon_days') }} as double) / frequency as shrunk_gap_days,
        cast(tenure_days + 1 as double) / frequency as days_per_purchase,
        -- whole numbers so far, so that equal gaps deviate by nothing
        (frequency - 1) * sum_of_squared_gaps - cast(sum_of_gaps as double) * sum_of_gaps as scaled_gap_variance
    from aggregated

){% if var('email_events') or var('contacts') %},

{{ email_engagement(dates, sampled) }}
{% endif %}

select
    derived.customer_id,
    derived.as_of_date,
    cast(recency_days as integer) as recency_days,
    cast(frequency as integer) as frequency,
    monetary,
    cast(tenure_days as integer) as tenure_days,
    cast(monetary as double) / frequency as average_order_value,
    {% for days in feature_days('spend_last_{}_days') -%}
    cast(spend_last_{{ days }}_days as double) as spend_last_{{ days }}_days,
    {% endfor -%}
    1 - cast(monetary as double) / gross_amount as returned_share,
    {% for days in feature_days('purchases_last_{}_days') -%}
    cast(purchases_last_{{ days }}_days as integer) as purchases_last_{{ days }}_days,
    {% endfor -%}
    {% for days in feature_days('decayed_purchases_{}_days') -%}
    cast(decayed_purchases_{{ days }}_days as double) as decayed_purchases_{{ days }}_days,
    {% endfor -%}
    {% for ordinal in feature_parts('days_since_{}_last_purchase') -%}
    cast(days_since_{{ ordinal }}_last_purchase as integer) as days_since_{{ ordinal }}_last_purchase,
    {% endfor -%}
    cast(active_weeks as double) / (floor(cast(tenure_days as double) / 7) + 1) as active_weeks_share,
    mean_gap_days,
    cast(median_gap_days as double) as median_gap_days,
    cast(max_gap_days as integer) as max_gap_days,
    shrunk_gap_days,
    days_per_purchase,
    {% for gap in feature_parts('recency_to_{}') -%}
    cast(recency_days as double) / {{ gap if gap in churn_model_features() else gap ~ '_days' }} as recency_to_{{ gap }},
    {% endfor -%}
    {% for days in trends -%}
    cast((2 * purchases_last_{{ days }}_days - purchases_last_{{ 2 * days }}_days) as double)
        / (purchases_last_{{ 2 * days }}_days + 1) as trend_{{ days }}_days,
    {% endfor -%}
    case when frequency > 2 then cast(sqrt(scaled_gap_variance) as double) / sum_of_gaps end as gap_variation,
    cast(recency_days - mean_gap_days as double) / sqrt(greatest(
        cast(
            cast(scaled_gap_variance as double) / nullif(frequency - 1, 0) + mean_gap_days * mean_gap_days as double
        ) / frequency, 1
    )) as silence_in_gap_spreads,
    case
        when tenure_days >= 365 - {{ run_value('horizon_days') }} then
            cast(purchases_same_weeks as double)
            / (floor(cast(tenure_days - 365 + {{ run_value('horizon_days') }} as double) / 365) + 1)
    end as purchases_same_weeks_a_year,
    cast(product_lines as double) / frequency as lines_per_purchase,
    {% if var('email_events') or var('contacts') -%}
    {%- for name in email_features() %}
    engaged.{{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from derived
left join engaged
    on derived.customer_id = engaged.customer_id
    and derived.as_of_date = engaged.as_of_date
    {%- else -%}
    {%- for name in email_features() %}
    cast(null as integer) as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from derived
    {%- endif %}
{% endmacro %}
