{#
  A subquery of purchases as they were known at each date of `dates`, a relation with a column as_of_date:
  one row per customer, as-of date and purchase that had not been cancelled by then. `sampled`: only of the customers
  that models are trained on.
#}
{% macro purchases_known_at(dates, sampled=false) -%}
    (
        select
            purchases.customer_id,
            dates.as_of_date,
            purchases.purchased_on,
            purchases.gross_amount,
            purchases.net_amount,
            purchases.product_lines,
            {{ days_between('purchases.purchased_on', 'dates.as_of_date') }} as age_days
        from {{ ref('int_purchases') }} as purchases
        inner join {{ dates }} as dates
            on purchases.known_from <= dates.as_of_date
            and purchases.known_until > dates.as_of_date
        where purchases.net_amount > 0
            {% if sampled %}and {{ in_training_sample('purchases.customer_id') }}{% endif %}
    )
{%- endmacro %}
