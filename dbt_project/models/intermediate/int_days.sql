{# Every day, as MetricFlow needs it to fill gaps in a metric over time. #}

{{ config(materialized='view') }}

with digits as (
    {%- for digit in range(10) %}
    select {{ digit }} as digit{{ ' union all' if not loop.last }}
    {%- endfor %}
),

numbers as (
    select ones.digit + 10 * tens.digit + 100 * hundreds.digit + 1000 * thousands.digit + 10000 * more.digit as days
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
    cross join digits as thousands
    cross join digits as more
)

select {{ add_days("cast('2000-01-01' as date)", 'days') }} as day
from numbers
where days < 36525
