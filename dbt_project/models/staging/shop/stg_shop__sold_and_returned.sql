{{ config(materialized='view') }}

{#
  The lines that count and, where a column of an order says what was given back of it, that as a return: of the day of the
  refund, if it is known, else of the order.
#}

{% if is_mapped('refunded_amount') -%}
with refunded as (

    select
        sold.*,
        coalesce(greatest(validated.refunded_at, sold.ordered_at), sold.ordered_at) as refunded_at,
        abs(validated.refunded_amount) as refunded_amount,
        validated.refund_is_of_order
    from {{ ref('stg_shop__order_lines') }} as sold
    inner join {{ ref('stg_shop__order_lines_validated') }} as validated
        on sold.source_name = validated.source_name
        and sold.order_line_key = validated.order_line_key
    where validated.refunded_amount <> 0 and not sold.is_return

)

select
    source_name,
    min(order_line_key) || ' refunded' as order_line_key,
    order_id,
    customer_id,
    max(email) as email,
    cast(null as varchar) as sku,
    max(refunded_at) as ordered_at,
    cast(max(refunded_at) as date) as ordered_on,
    cast(0 as decimal(18, 4)) as quantity,
    cast(
        case when refund_is_of_order then max(refunded_amount) else sum(refunded_amount) end as decimal(18, 2)
    ) as amount,
    true as is_return,
    currency,
    max(country) as country,
    max(channel) as channel
from refunded
group by source_name, order_id, customer_id, currency, refund_is_of_order

union all

{% endif -%}
select
    source_name,
    order_line_key,
    order_id,
    customer_id,
    email,
    sku,
    ordered_at,
    ordered_on,
    quantity,
    amount,
    is_return,
    currency,
    country,
    channel
from {{ ref('stg_shop__order_lines') }}
