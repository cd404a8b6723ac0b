{{ config(materialized='table') }}

{#
  Customer ids that are not taken as they are written: words for nobody, numbers that a spreadsheet has damaged, and ids
  or addresses with more orders than a person has. There are few or none.
#}

{% set orders = var('order_lines') %}
{% set real_ids = orders | map(attribute='real_ids', default=[]) | sum(start=[]) %}
{% set placeholder_ids = orders | map(attribute='placeholder_ids', default=[]) | sum(start=[]) %}

{# Written out where it is used, so that no engine keeps every line in memory. #}
{% set lines -%}
    (
        {% for mapping in orders -%}
        select
            {{ mapped_text(mapping, 'customer_id') }} as written_id,
            {{ normalised_email(mapped_text(mapping, 'email')) }} as email,
            coalesce({{ mapped_text(mapping, 'order_id') }}, {{ mapped_text(mapping, 'ordered_at') }}) as order_id
        from {{ rows_of(mapping, 'order_lines') }}
        {{ 'union all' if not loop.last }}
        {% endfor -%}
    )
{%- endset %}

with pairs as (

    select written_id, email, count(*) as line_count
    from {{ lines }} as lines
    group by written_id, email

),

written as (

    select written_id, email, line_count from pairs
    {% for mapping in var('contacts') | selectattr('columns.customer_id', 'defined') %}
    union all
    select {{ mapped_text(mapping, 'customer_id') }} as written_id, cast(null as varchar) as email, 0 as line_count
    from {{ rows_of(mapping, 'contacts') }}
    {% endfor %}

),

ids as (

    select
        written_id,
        {{ plain_id('written_id') }} as plain,
        case when count(distinct email) = 1 then min(email) end as only_email,
        sum(line_count) as line_count
    from written
    where written_id is not null and written_id <> '{{ var("erased") }}'
    group by written_id

),

named as (

    select
        ids.*,
        case
            when plain in ({{ quoted_list(real_ids) }}) then null
            when {{ is_cut_to_digits('plain') }} then 'customer id cut by a spreadsheet'
            when plain in ({{ quoted_list(placeholder_ids) }}) or {{ is_placeholder('plain') }} then 'no customer'
        end as why_nobody,
        -- a number for each order of a guest: the address tells who it is
        case when {{ is_numbered_guest('plain') }} then only_email end as guest_email
    from ids

),

-- who has no id is known by the address
customers as (

    select
        coalesce(case when named.why_nobody is null then coalesce(named.guest_email, named.plain) end, pairs.email) as id,
        sum(pairs.line_count) as line_count
    from pairs
    left join named on pairs.written_id = named.written_id
    group by 1

),

usual as (

    select
        sum(line_count) as line_count,
        count(*) as customers,
        percentile_cont(0.9) within group (order by line_count) as most_lines
    from customers
    where id is not null

),

-- no person is behind one line of twenty, and ten times as many as nearly everybody else
frequent as (

    select customers.id
    from customers
    cross join usual
    where usual.customers >= 20
        and customers.line_count >= 50
        and customers.line_count * 20 >= usual.line_count
        and customers.line_count > 10 * usual.most_lines
        and not coalesce(customers.id in ({{ quoted_list(real_ids) }}), false)

),

shared as (

    select frequent.id
    from frequent
    left join named on frequent.id = named.plain
    inner join {{ lines }} as lines on lines.written_id = named.written_id or lines.email = frequent.id
    group by frequent.id
    having count(distinct lines.order_id) >= 50

),

-- a spreadsheet takes zeros from the left: ids that differ in nothing else are one, as the orders write it
numbered as (

    select written_id, plain, line_count, {{ number_of_id('plain') }} as id_number
    from named
    where why_nobody is null and guest_email is null

),

padded as (

    select distinct id_number from numbered where id_number is not null and plain like '0%'

),

spelt as (

    select
        numbered.written_id,
        first_value(numbered.plain) over (
            partition by numbered.id_number
            order by case when numbered.line_count > 0 then 0 else 1 end, length(numbered.plain) desc, numbered.plain
        ) as customer_id
    from numbered
    inner join padded on numbered.id_number = padded.id_number

),

corrected as (

    select
        named.written_id,
        case
            when named.why_nobody is null and shared.id is null
                then coalesce(named.guest_email, spelt.customer_id, named.plain)
        end as customer_id,
        case
            when named.why_nobody is not null then named.why_nobody
            when shared.id is not null then 'an id with more orders than a person has'
            when named.guest_email is not null then 'number of a guest'
            when spelt.customer_id <> named.plain then 'leading zeros'
            else 'spelling'
        end as correction,
        named.line_count
    from named
    left join shared on named.plain = shared.id
    left join spelt on named.written_id = spelt.written_id

    union all

    select
        shared.id as written_id,
        cast(null as varchar) as customer_id,
        'an address with more orders than a person has' as correction,
        customers.line_count
    from shared
    inner join customers on shared.id = customers.id
    left join named on shared.id = named.plain
    where named.plain is null

)

select
    written_id,
    customer_id,
    correction,
    cast(line_count as bigint) as line_count
from corrected
where customer_id is null
    or customer_id <> case when written_id like '%@%' then lower(written_id) else written_id end
