{#
  Purchases of each customer and day, in versions: a return begins a new one. At any date exactly one
  version is known (known_from <= date < known_until), so history never learns of a later return.
  A purchase whose net amount is zero has been cancelled and counts for nothing while that version holds.
#}

with sold as (

    select
        customer_id,
        ordered_on as purchased_on,
        sum(amount) as gross_amount,
        count(case when amount > 0 then sku end) as product_lines
    from {{ ref('int_order_lines') }}
    where not is_return
    group by customer_id, ordered_on

),

sent_back as (

    select
        customer_id,
        purchased_on,
        returned_on,
        sum(amount) as amount
    from {{ ref('int_returns') }}
    where purchased_on is not null
    group by customer_id, purchased_on, returned_on

),

versions as (

    select
        customer_id,
        purchased_on,
        purchased_on as known_from,
        gross_amount,
        product_lines,
        cast(0 as decimal(38, 2)) as returned_amount
    from sold

    union all

    select
        sent_back.customer_id,
        sent_back.purchased_on,
        sent_back.returned_on as known_from,
        sold.gross_amount,
        sold.product_lines,
        sum(sent_back.amount) over (
            partition by sent_back.customer_id, sent_back.purchased_on
            order by sent_back.returned_on
            rows between unbounded preceding and current row
        ) as returned_amount
    from sent_back
    inner join sold
        on sent_back.customer_id = sold.customer_id
        and sent_back.purchased_on = sold.purchased_on

),

bounded as (

    select
        *,
        lead(known_from, 1, cast('9999-12-31' as date)) over (
            partition by customer_id, purchased_on
            order by known_from, returned_amount
        ) as known_until
    from versions

)

select
    customer_id,
    purchased_on,
    known_from,
    known_until,
    cast(gross_amount as decimal(18, 2)) as gross_amount,
    cast(case when returned_amount < gross_amount then gross_amount - returned_amount else 0 end as decimal(18, 2))
        as net_amount,
    cast(product_lines as integer) as product_lines
from bounded
where known_from < known_until
