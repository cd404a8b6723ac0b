{{ config(materialized='table', schema='raw') }}

{# Every row that is not used, with the place it came from: nothing is dropped in silence. #}

with judged as (

    select
        *,
        try_cast(order_line_key as bigint) as row_number  -- rows that Airbyte brought have other keys, and no line
    from {{ ref('stg_csv__order_lines_judged') }}
    where set_aside_reason is not null

),

spans as (

    select * from {{ source('landing', 'landed_spans') }}

)

select
    spans.file,
    spans.first_line + judged.row_number - spans.first_row as line,
    judged.set_aside_reason as reason,
    judged.ordered_on,
    judged.order_line_key as _airbyte_raw_id,
    cast(null as varchar) as content
from judged
left join spans
    on judged.row_number between spans.first_row and spans.last_row

union all

select
    file,
    line,
    reason,
    cast(null as date) as ordered_on,
    cast(null as varchar) as _airbyte_raw_id,
    content
from {{ source('landing', 'unreadable_lines') }}
