{#
  A subquery of the customers that a campaign contacted within the horizon after each date of `dates` (as_of_date,
  horizon_days), or who could still respond to an earlier one: one row per customer and date. What they did in that time
  shows what the message did, too, so no model is trained on it or judged by it.
#}
{% macro contacted_after(dates) -%}
    (
        select distinct
            contacts.customer_id,
            dates.as_of_date,
            dates.horizon_days
        from {{ ref('int_campaign_contacts') }} as contacts
        inner join {{ horizons_of(dates) }} as dates
            on contacts.contacted_on <= dates.horizon_ends_on
            and contacts.attribution_window_end > dates.as_of_date
    )
{%- endmacro %}
