{# Country and channel of each customer's latest purchase. #}

select
    customer_id,
    max_by(country, cast(ordered_at as varchar) || order_line_key) as country,
    max_by(channel, cast(ordered_at as varchar) || order_line_key) as channel
from {{ ref('int_order_lines') }}
where not is_return
group by customer_id
