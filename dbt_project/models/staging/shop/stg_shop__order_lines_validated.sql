{{ config(materialized='table') }}

{# Every order line of every source with typed columns, and the reason why it is rejected, if it is. #}

{% set sources = var('order_lines') %}
{% set have_line_ids = sources | selectattr('columns.order_line_id', 'defined') | list | length > 0 %}
{% set have_several_files = sources | selectattr('several_files', 'defined') | selectattr('several_files') | list | length > 0 %}

with lines as (

    {% for mapping in sources -%}
    select * from {{ order_lines_of(mapping) }} as lines_{{ loop.index }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

{% if have_several_files -%}
{{ later_exports() }},
{%- endif %}

counted as (

    select
        *,
        row_number() over (
            partition by
                source_name, source_file, order_id, given_order_line_id, customer_id, sku, ordered_at, quantity,
                signed_amount
            order by order_line_key
        ) as occurrence,
        {% if have_line_ids -%}
        row_number() over (
            partition by source_name, order_id, given_order_line_id, is_return
            order by extracted_at desc, {{ 'export desc, ' if have_several_files }}order_line_key desc
        ) as occurrence_of_id_from_last
        {%- else -%}
        1 as occurrence_of_id_from_last
        {%- endif %}
    from {{ 'exported' if have_several_files else 'lines' }}

),

validated as (

    select
        *,
        case
            when ordered_at is null and {{ is_no_order() }} then 'total, note or empty row'
            when customer_id = '{{ var("erased") }}' then 'erased on request'
            {% if have_several_files -%}
            when is_in_a_later_export then 'order is in a later export'
            when not has_order_id and copy > 1 then 'line is in another file too'
            {% endif -%}
            when no_sale is not null then no_sale
            when customer_id is null then coalesce(id_correction, 'no customer')
            when ordered_at is null then 'unreadable date'
            when signed_amount is null then 'unreadable amount'
            when rule_of_source is not null then rule_of_source
            when signed_amount = 0 then 'amount of zero'
            when given_order_line_id is not null and occurrence_of_id_from_last > 1
                then 'repeated later with the same id'
            when duplicates_are_rejected and given_order_line_id is null and occurrence > 1 then 'duplicate line'
        end as rejection_reason
    from counted

)

{%- if is_mapped('order_total') %},

{{ shares_of_totals() }}
{%- endif %}

select
    source_name,
    order_line_key,
    extracted_at,
    order_id,
    order_number,
    customer_id,
    email,
    sku,
    ordered_at,
    ordered_on,
    abs(quantity) as quantity,
    abs(signed_amount) as amount,
    is_return,
    {% if is_mapped('refunded_amount') -%}
    refunded_amount,
    refunded_at,
    refund_is_of_order,
    {% endif -%}
    currency,
    country,
    channel,
    unreadable_text,
    rejection_reason
from {{ 'shared_out' if is_mapped('order_total') else 'validated' }}
