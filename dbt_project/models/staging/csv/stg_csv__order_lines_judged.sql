{{ config(materialized='table') }}

{# Every landed line with typed columns, and the reason why it is set aside, if it is. #}

{% set mapping = var('order_lines') %}
{% set columns = mapping.columns %}

with source as (

    select * from {{ source('csv', 'order_lines') }}

),

renamed as (

    select
        _airbyte_raw_id as order_line_key,
        _airbyte_extracted_at as extracted_at,
        {% for column in ('order_id', 'order_line_id', 'customer_id', 'ordered_at', 'amount', 'sku', 'quantity',
                          'unit_price', 'discount', 'country', 'currency', 'channel') -%}
        {{ mapped_text(column) }} as {{ column }}_text{{ ',' if not loop.last }}
        {% endfor %}
    from source

),

typed as (

    select
        order_line_key,
        extracted_at,
        customer_id_text as customer_id,
        order_id_text as given_order_id,
        order_line_id_text as given_order_line_id,
        sku_text as sku,
        {{ parse_timestamp('ordered_at_text', mapping.timestamp_format, mapping.timestamps_have_offset, mapping.timezone) }}
            as ordered_at,
        {{ parse_number('quantity_text') }} as quantity,
        {{ parse_number('unit_price_text') }} as unit_price,
        {{ parse_number('discount_text') }} as discount,
        {{ parse_number('amount_text') }} as amount,
        {% for column in ('quantity', 'discount') -%}
        {{ column }}_text is not null and {{ parse_number(column ~ '_text') }} is null as {{ column }}_is_unreadable,
        {% endfor -%}
        upper(coalesce(currency_text, {{ "'" ~ mapping.currency ~ "'" if mapping.currency else 'null' }})) as currency,
        country_text as country,
        channel_text as channel
    from renamed

),

valued as (

    select
        order_line_key,
        extracted_at,
        customer_id,
        coalesce(given_order_id, customer_id || ' ' || cast(cast(ordered_at as date) as varchar)) as order_id,
        given_order_line_id,
        sku,
        ordered_at,
        cast(ordered_at as date) as ordered_on,
        coalesce(quantity, 1) as quantity,
        {% if 'amount' in columns -%}
        cast(amount as decimal(18, 2)) as signed_amount,
        {% else -%}
        case
            when not quantity_is_unreadable and not discount_is_unreadable
                then cast(coalesce(quantity, 1) * unit_price - coalesce(discount, 0) as decimal(18, 2))
        end as signed_amount,
        {% endif -%}
        currency,
        country,
        channel
    from typed

),

with_returns as (

    select
        *,
        coalesce(signed_amount, 0) < 0 or quantity < 0
        {%- if mapping.returns %} or coalesce({{ matches(mapping.returns.column, mapping.returns.matches) }}, false) {%- endif %}
            as is_return
    from valued

),

counted as (

    select
        *,
        row_number() over (
            partition by order_id, given_order_line_id, customer_id, sku, ordered_at, quantity, signed_amount
            order by order_line_key
        ) as occurrence,
        {% if 'order_line_id' in columns -%}
        row_number() over (
            partition by order_id, given_order_line_id, is_return
            order by extracted_at desc, order_line_key desc
        ) as occurrence_of_id_from_last
        {%- else -%}
        1 as occurrence_of_id_from_last
        {%- endif %}
    from with_returns

)

select
    order_line_key,
    order_id,
    customer_id,
    sku,
    ordered_at,
    ordered_on,
    abs(quantity) as quantity,
    abs(signed_amount) as amount,
    is_return,
    currency,
    country,
    channel,
    case
        when customer_id is null then 'no customer'
        when ordered_at is null then 'unreadable date'
        when ordered_on > cast('{{ var("run_date") }}' as date) then 'date in the future'
        when signed_amount is null then 'unreadable amount'
        {% for rule in mapping.set_aside -%}
        when {{ matches(rule.column, rule.matches) }} then '{{ rule.reason | replace("'", "''") }}'
        {% endfor -%}
        when signed_amount = 0 then 'amount of zero'
        when given_order_line_id is not null and occurrence_of_id_from_last > 1
            then 'repeated later with the same id'
        {% if mapping.duplicates == 'set_aside' -%}
        when given_order_line_id is null and occurrence > 1 then 'duplicate line'
        {% endif -%}
    end as set_aside_reason
from counted
