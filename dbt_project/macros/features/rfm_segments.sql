{# Days that RFM scores look back: four horizons, and no fewer than 120, no more than 365. #}
{% macro segment_window_days() -%}
    {{ [120, [365, 4 * run_value('horizon_days')] | min] | max }}
{%- endmacro %}

{# The figures that are scored, better ones higher, and the name of each one's border. #}
{% macro scored_figures() -%}
    {{ return({'r_score': 'recency_days', 'f_score': 'orders_in_window', 'm_score': 'spend_in_window'}) }}
{%- endmacro %}

{#
  A subquery of recency, frequency and money of every customer at each date of `dates`: so far, and in the window.
  `sampled`: only of the customers that models are trained on.
#}
{% macro rfm_figures(dates, sampled=false) -%}
    {%- set in_window = 'age_days < ' ~ segment_window_days() -%}
    (
        select
            customer_id,
            as_of_date,
            cast(min(age_days) as integer) as recency_days,
            cast(count(*) as integer) as frequency,
            cast(sum(net_amount) as double) as monetary,
            cast(max(age_days) as integer) as tenure_days,
            cast(count(case when {{ in_window }} then 1 end) as integer) as orders_in_window,
            cast(coalesce(sum(case when {{ in_window }} then net_amount end), 0) as double) as spend_in_window
        from {{ purchases_known_at(dates, sampled) }} as known
        group by customer_id, as_of_date
    )
{%- endmacro %}

{# 1 to 5 by the share of customers whom a customer surpasses: equal values have equal scores, however many share them. #}
{% macro fifth_of(value) -%}
    least(5, 1 + floor(5 * percent_rank() over (order by {{ value }})))
{%- endmacro %}

{# A subquery of the one row of marts.segment_borders that holds at the as-of date. #}
{% macro kept_borders() -%}
    (
        select *
        from {{ ref('segment_borders') }} as kept
        where {{ borders_fit('kept') }}
        qualify row_number() over (order by as_of_date desc, decided_at desc) = 1
    )
{%- endmacro %}

{# Whether a row of marts.segment_borders was known by the as-of date and is of this window and currency. #}
{% macro borders_fit(kept) -%}
    {{ kept }}.as_of_date <= {{ as_of_date() }}
        and {{ kept }}.window_days = {{ segment_window_days() }}
        and coalesce({{ kept }}.currency, '') = '{{ run_value("currency") or "" }}'
{%- endmacro %}

{#
  A subquery of each customer's figures, scores and segment at each date of `dates`, all by the same borders. Scores
  are 0 for customers who bought nothing in the window.
#}
{% macro rfm_segments(dates, sampled=false) -%}
    (
        select
            scored.*,
            rules.segment
        from (
            select
                figures.*,
                {% for score, figure in scored_figures().items() -%}
                case when figures.orders_in_window > 0 then 1
                    {%- for n in range(2, 6) %}
                    + case when figures.{{ figure }} {{ '<=' if score == 'r_score' else '>=' }} borders.{{ figure }}_for_{{ n }} then 1 else 0 end
                    {%- endfor %}
                    else 0
                end as {{ score }}{{ ',' if not loop.last }}
                {% endfor %}
            from {{ rfm_figures(dates, sampled) }} as figures
            left join {{ kept_borders() }} as borders on true
        ) as scored
        inner join {{ ref('rfm_segment_rules') }} as rules
            on scored.r_score between rules.r_from and rules.r_to
            and scored.f_score between rules.f_from and rules.f_to
            and scored.m_score between rules.m_from and rules.m_to
    )
{%- endmacro %}
