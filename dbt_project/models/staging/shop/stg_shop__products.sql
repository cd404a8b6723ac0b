{{ config(materialized='view') }}

{# The products that are used: each sku once. #}

select
    source_name,
    product_key,
    sku,
    product_name,
    category,
    is_active
from {{ ref('stg_shop__products_validated') }}
where rejection_reason is null
