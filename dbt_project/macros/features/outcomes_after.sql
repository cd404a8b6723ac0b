{#
  A subquery of the customers who bought within the horizon after each date of `dates` (as_of_date, horizon_days), and for how
  much: one row per buyer and date. It is as known at the end of the horizon; a later return changes nothing.
  `sampled`: only of the customers that models are trained on.
#}
{% macro outcomes_after(dates, sampled=false) -%}
    (
        select
            purchases.customer_id,
            dates.as_of_date,
            dates.horizon_days,
            cast(sum(purchases.net_amount) as double) as spend_in_horizon
        from {{ ref('int_purchases') }} as purchases
        inner join {{ horizons_of(dates) }} as dates
            on purchases.purchased_on > dates.as_of_date
            and purchases.purchased_on <= dates.horizon_ends_on
            and purchases.known_from <= dates.horizon_ends_on
            and purchases.known_until > dates.horizon_ends_on
        where purchases.net_amount > 0
            {% if sampled %}and {{ in_training_sample('purchases.customer_id') }}{% endif %}
        group by purchases.customer_id, dates.as_of_date, dates.horizon_days
    )
{%- endmacro %}
