{# Won deals are orders: their line items, or the deal as a whole where it has none. #}

with deals as (

    select
        *,
        {{ json_text('associations', 'contacts.results[0].id') }} as contact_id
    from {{ hubspot_records('deals') }} as deals
    where lower(properties_hs_is_closed_won) = 'true'

),

line_items as (

    select
        *,
        {{ json_text('associations', 'deals.results[0].id') }} as deal_id
    from {{ hubspot_records('line_items') }} as line_items

),

lines as (

    select
        coalesce(line_items._airbyte_raw_id, deals._airbyte_raw_id) as _airbyte_raw_id,
        coalesce(line_items._airbyte_extracted_at, deals._airbyte_extracted_at) as _airbyte_extracted_at,
        coalesce(nullif(trim(deals.properties_order_id), ''), deals.id) as order_id,
        coalesce(line_items.id, 'deal ' || deals.id) as order_line_id,
        deals.contact_id,
        cast(deals.properties_closedate as varchar) as ordered_at,
        case
            when line_items.id is null then deals.properties_amount
            else line_items.properties_amount
        end as amount,
        line_items.properties_hs_sku as sku,
        line_items.properties_quantity as quantity,
        deals.properties_deal_currency_code as currency
    from deals
    left join line_items on deals.id = line_items.deal_id

)

select
    lines._airbyte_raw_id,
    lines._airbyte_extracted_at,
    lines.order_id,
    lines.order_line_id,
    {{ hubspot_customer_id('contacts') }} as customer_id,
    contacts.properties_email as email,
    lines.ordered_at,
    lines.amount,
    lines.sku,
    lines.quantity,
    lines.currency
from lines
left join {{ hubspot_records('contacts') }} as contacts on lines.contact_id = contacts.id
