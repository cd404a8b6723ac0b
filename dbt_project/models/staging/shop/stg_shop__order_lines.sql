{{ config(materialized='view') }}

{#
  The lines that count: readable sales and returns of products by known customers. A sale whose date cannot be right is
  of the day that its number tells.
#}

select
    validated.source_name,
    validated.order_line_key,
    validated.order_id,
    validated.customer_id,
    validated.email,
    validated.sku,
    coalesce(cast(misdated.placed_on as timestamp), validated.ordered_at) as ordered_at,
    coalesce(misdated.placed_on, validated.ordered_on) as ordered_on,
    validated.quantity,
    validated.amount,
    validated.is_return,
    validated.currency,
    validated.country,
    validated.channel
from {{ ref('stg_shop__order_lines_validated') }} as validated
left join {{ ref('stg_shop__misdated') }} as misdated
    on validated.source_name = misdated.source_name
    and validated.is_return = misdated.is_return
    and validated.ordered_on = misdated.ordered_on
    and coalesce(validated.order_number, -1) = misdated.order_number
where validated.rejection_reason is null
    and (misdated.source_name is null or misdated.placed_on is not null)
