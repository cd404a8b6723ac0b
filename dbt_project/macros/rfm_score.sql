{#
  RFM scores from 1 to 5 by the share of customers that a customer surpasses: equal values get equal scores,
  however many share them. Columns of `customers`: recency_days, frequency, monetary.
#}
{% macro rfm_score(value) -%}
    cast(least(5, 1 + floor(5 * percent_rank() over (partition by as_of_date order by {{ value }}))) as integer)
{%- endmacro %}
