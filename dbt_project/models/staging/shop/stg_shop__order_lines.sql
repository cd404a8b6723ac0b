{{ config(materialized='view') }}

{#
  The lines that count: readable sales and returns of products by known customers. A sale whose date cannot be right is
  of the day that its number tells.
#}

select
    judged.source_name,
    judged.order_line_key,
    judged.order_id,
    judged.customer_id,
    judged.email,
    judged.sku,
    coalesce(cast(misdated.placed_on as timestamp), judged.ordered_at) as ordered_at,
    coalesce(misdated.placed_on, judged.ordered_on) as ordered_on,
    judged.quantity,
    judged.amount,
    judged.is_return,
    judged.currency,
    judged.country,
    judged.channel
from {{ ref('stg_shop__order_lines_judged') }} as judged
left join {{ ref('stg_shop__misdated') }} as misdated
    on judged.source_name = misdated.source_name
    and judged.is_return = misdated.is_return
    and judged.ordered_on = misdated.ordered_on
    and coalesce(judged.order_number, -1) = misdated.order_number
where judged.set_aside_reason is null
    and (misdated.source_name is null or misdated.placed_on is not null)
