{# Each returned line with the sale it takes back: the latest earlier one of the same customer and product. #}

with sales as (

    select * from {{ ref('int_order_lines') }} where not is_return

),

returned as (

    select * from {{ ref('int_order_lines') }} where is_return

)

select
    returned.order_line_key,
    returned.customer_id,
    returned.ordered_on as returned_on,
    returned.amount,
    sales.ordered_on as purchased_on
from returned
left join sales
    on sales.customer_id = returned.customer_id
    and sales.ordered_at <= returned.ordered_at
    and sales.amount >= returned.amount
    and (sales.sku = returned.sku or sales.order_id = returned.order_id)
qualify
    row_number() over (
        partition by returned.order_line_key
        order by
            case when sales.order_id = returned.order_id then 0 else 1 end,
            case when sales.sku = returned.sku then 0 else 1 end,
            sales.ordered_at desc,
            sales.order_line_key
    ) = 1
