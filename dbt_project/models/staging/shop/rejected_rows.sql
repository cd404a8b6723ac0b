{{ config(materialized='table', schema='raw') }}

{# Every row that is not used, with the place it came from: nothing is dropped in silence. #}

with judged as (

    select
        'order_lines' as kind,
        order_line_key as row_key,
        set_aside_reason,
        ordered_on,
        case when set_aside_reason <> 'total, note or empty row' then amount end as amount,  -- it is that of other rows
        currency,
        case
            when set_aside_reason like 'unreadable%' then coalesce(unreadable_text, '')
            else coalesce(unreadable_text, order_id)
        end as example
    from {{ ref('stg_shop__order_lines_judged') }}
    where set_aside_reason is not null

    union all

    select
        'order_lines' as kind,
        judged.order_line_key as row_key,
        misdated.reason as set_aside_reason,
        cast(null as date) as ordered_on,  -- which nobody knows
        judged.amount,
        judged.currency,
        cast(judged.ordered_on as varchar) as example
    from {{ ref('stg_shop__order_lines_judged') }} as judged
    inner join {{ ref('stg_shop__misdated') }} as misdated
        on judged.source_name = misdated.source_name
        and judged.is_return = misdated.is_return
        and judged.ordered_on = misdated.ordered_on
        and coalesce(judged.order_number, -1) = misdated.order_number
    where judged.set_aside_reason is null and misdated.placed_on is null

    union all

    select
        'contacts' as kind,
        contact_key as row_key,
        set_aside_reason,
        cast(null as date) as ordered_on,
        cast(null as decimal(18, 2)) as amount,
        cast(null as varchar) as currency,
        contact_id as example
    from {{ ref('stg_shop__contacts_judged') }}
    where set_aside_reason is not null

),

numbered as (

    select
        *,
        try_cast(row_key as bigint) as row_number  -- rows that Airbyte brought have other keys, and no line
    from judged

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
    numbered.set_aside_reason as reason,
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
