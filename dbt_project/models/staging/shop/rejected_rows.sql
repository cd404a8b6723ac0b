{{ config(materialized='table', schema='raw') }}

{# Every row that is not used, with the place it came from: nothing is dropped in silence. #}

with validated as (

    select
        'order_lines' as kind,
        order_line_key as row_key,
        rejection_reason,
        ordered_on,
        -- else it is that of other rows
        case when rejection_reason not in ('total, note or empty row', 'earlier status of the order') then amount end as amount,
        currency,
        case
            when rejection_reason like 'unreadable%' then coalesce(unreadable_text, '')
            else coalesce(unreadable_text, order_id)
        end as example
    from {{ ref('stg_shop__order_lines_validated') }}
    where rejection_reason is not null

    union all

    select
        'order_lines' as kind,
        validated.order_line_key as row_key,
        misdated.reason as rejection_reason,
        cast(null as date) as ordered_on,  -- which nobody knows
        validated.amount,
        validated.currency,
        cast(validated.ordered_on as varchar) as example
    from {{ ref('stg_shop__order_lines_validated') }} as validated
    inner join {{ ref('stg_shop__misdated') }} as misdated
        on validated.source_name = misdated.source_name
        and validated.is_return = misdated.is_return
        and validated.ordered_on = misdated.ordered_on
        and coalesce(validated.order_number, -1) = misdated.order_number
    where validated.rejection_reason is null and misdated.placed_on is null

    union all

    select
        'contacts' as kind,
        contact_key as row_key,
        rejection_reason,
        cast(null as date) as ordered_on,
        cast(null as decimal(18, 2)) as amount,
        cast(null as varchar) as currency,
        contact_id as example
    from {{ ref('stg_shop__contacts_validated') }}
    where rejection_reason is not null

    union all

    select
        'products' as kind,
        product_key as row_key,
        rejection_reason,
        cast(null as date) as ordered_on,
        cast(null as decimal(18, 2)) as amount,
        cast(null as varchar) as currency,
        coalesce(unreadable_text, sku) as example
    from {{ ref('stg_shop__products_validated') }}
    where rejection_reason is not null

),

numbered as (

    select
        *,
        try_cast(row_key as bigint) as row_number  -- rows that Airbyte brought have other keys, and no line
    from validated

),

spans as (

    {% for landed in kinds_from_files() -%}
    select '{{ landed.kind }}' as kind, file, first_row, last_row, first_line from {{ landed.spans }}
    union all
    {% endfor -%}
    select
        cast(null as varchar) as kind,
        cast(null as varchar) as file,
        cast(null as bigint) as first_row,
        cast(null as bigint) as last_row,
        cast(null as bigint) as first_line
    where false

)

select
    numbered.kind,
    spans.file,
    spans.first_line + numbered.row_number - spans.first_row as line,
    numbered.rejection_reason as reason,
    numbered.ordered_on,
    numbered.amount,
    numbered.currency,
    numbered.example,
    numbered.row_key as _airbyte_raw_id,
    cast(null as varchar) as content
from numbered
left join spans
    on numbered.kind = spans.kind
    and numbered.row_number between spans.first_row and spans.last_row
{% for landed in kinds_from_files() %}
union all

select
    '{{ landed.kind }}' as kind,
    file,
    line,
    reason,
    cast(null as date) as ordered_on,
    cast(null as decimal(18, 2)) as amount,
    cast(null as varchar) as currency,
    content as example,
    cast(null as varchar) as _airbyte_raw_id,
    content
from {{ landed.unreadable }}
{% endfor %}
