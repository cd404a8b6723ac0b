{{ config(materialized='view') }}

{# The lines that count: readable sales and returns of products by known customers. #}

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
from {{ ref('stg_shop__order_lines_judged') }}
where set_aside_reason is null
