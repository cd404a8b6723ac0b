{# Country and channel of each customer's latest purchase that names one. #}

with latest_first as (

    select
        customer_id,
        country,
        channel,
        row_number() over (
            partition by customer_id, case when country is null then 0 else 1 end
            order by ordered_at desc, order_line_key desc
        ) as country_position,
        row_number() over (
            partition by customer_id, case when channel is null then 0 else 1 end
            order by ordered_at desc, order_line_key desc
        ) as channel_position
    from {{ ref('int_order_lines') }}
    where not is_return

)

select
    customer_id,
    max(case when country_position = 1 then country end) as country,
    max(case when channel_position = 1 then channel end) as channel
from latest_first
group by customer_id
