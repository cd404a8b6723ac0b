{#
  Each returned line with the day of the sale that it names, if it names one: by the order's number, else by the product,
  else by an order's whole amount. What is left of that day's purchase by then limits what the return takes back of it.
#}

with returned as (

    select * from {{ ref('int_order_lines') }} where is_return

),

sales as (

    select
        *,
        sum(amount) over (partition by customer_id, order_id, ordered_on) as order_amount,
        sum(amount) over (partition by customer_id, ordered_on) as day_amount
    from {{ ref('int_order_lines') }}
    where not is_return and customer_id in (select customer_id from returned)

),

named as (

    select
        returned.order_line_key,
        returned.customer_id,
        returned.ordered_at as returned_at,
        returned.ordered_on as returned_on,
        returned.sku,
        returned.amount,
        sales.ordered_on as purchased_on,
        sales.day_amount
    from returned
    left join sales
        on sales.customer_id = returned.customer_id
        and sales.ordered_at <= returned.ordered_at
        and (
            sales.order_id = returned.order_id
            or (sales.sku = returned.sku and sales.amount >= returned.amount)
            or (returned.sku is null and sales.order_amount = returned.amount)
        )
    qualify
        row_number() over (
            partition by returned.order_line_key
            order by
                case when sales.order_id = returned.order_id then 0 else 1 end,
                case when sales.sku = returned.sku then 0 else 1 end,
                sales.ordered_at desc,
                sales.order_line_key
        ) = 1

),

in_turn as (

    select
        *,
        coalesce(
            sum(amount) over (
                partition by customer_id, purchased_on
                order by returned_at, order_line_key
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as amount_before
    from named

)

select
    order_line_key,
    customer_id,
    returned_at,
    returned_on,
    sku,
    amount,
    purchased_on,
    day_amount,
    case
        when purchased_on is null then 0
        else greatest(least(amount, day_amount - amount_before), 0)
    end as named_amount
from in_turn
