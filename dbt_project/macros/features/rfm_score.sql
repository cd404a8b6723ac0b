{#
  RFM scores from 1 to 5 by the share of customers that a customer surpasses: equal values get equal scores,
  however many share them.
#}
{% macro rfm_score(value) -%}
    cast(least(5, 1 + floor(5 * percent_rank() over (partition by as_of_date order by {{ value }}))) as integer)
{%- endmacro %}

{#
  A subquery that gives each row of `customers` (customer_id, as_of_date, recency_days, frequency, monetary) its
  scores and its segment among the customers of its date.
#}
{% macro rfm_segments(customers) -%}
    (
        select
            scored.*,
            grid.segment
        from (
            select
                customer_id,
                as_of_date,
                recency_days,
                frequency,
                monetary,
                {{ rfm_score('-recency_days') }} as r_score,
                {{ rfm_score('frequency') }} as f_score,
                {{ rfm_score('monetary') }} as m_score
            from {{ customers }}
        ) as scored
        inner join {{ ref('rfm_segment_grid') }} as grid
            on scored.r_score = grid.r_score
            and floor(cast(scored.f_score + scored.m_score + 1 as double) / 2) = grid.fm_score
    )
{%- endmacro %}
