{#
  Each return with the purchases it takes back. A return that names no sale, or a sale that is already returned, is taken from the customer's latest earlier purchases, as from a stack: a sale lays its amount on top, a return takes off the top, and
  what a return takes belongs to the latest sale that still reaches there. So a return never changes what was known
  before its day. A return of a product that the customer never bought finds nothing.
#}

with named as (

    select * from {{ ref('int_named_returns') }}

),

open_returns as (

    select
        *,
        amount - named_amount as open_amount
    from named
    where amount > named_amount
        and (sku is null or purchased_on is not null)

),

events as (

    select
        customer_id,
        ordered_on as happened_on,
        cast(null as timestamp) as returned_at,
        cast(null as varchar) as order_line_key,
        false as is_open,
        sum(amount) as change
    from {{ ref('int_order_lines') }}
    where not is_return and customer_id in (select customer_id from open_returns)
    group by customer_id, ordered_on

    union all

    select customer_id, returned_on, returned_at, order_line_key, false, -named_amount
    from named
    where named_amount > 0 and customer_id in (select customer_id from open_returns)

    union all

    select customer_id, returned_on, returned_at, order_line_key, true, -open_amount
    from open_returns

),

numbered as (

    select
        *,
        row_number() over (
            partition by customer_id
            order by
                happened_on,
                case when change > 0 then 0 else 1 end,
                returned_at,
                order_line_key,
                case when is_open then 1 else 0 end
        ) as position
    from events

),

summed as (

    select
        *,
        sum(change) over (
            partition by customer_id order by position rows between unbounded preceding and current row
        ) as balance
    from numbered

),

-- the stack is never lower than empty: unmatched returns do not count against later sales
stacked as (

    select
        *,
        balance - least(
            min(balance) over (
                partition by customer_id order by position rows between unbounded preceding and current row
            ),
            0
        ) as height
    from summed

),

steps as (

    select
        *,
        lag(height, 1, 0) over (partition by customer_id order by position) as height_before
    from stacked

),

looked_back as (

    select
        taking.order_line_key,
        taking.height as lowest,
        taking.height_before as highest,
        earlier.happened_on as purchased_on,
        earlier.change as sold_amount,
        earlier.height_before as bottom,
        earlier.height as top,
        min(earlier.height) over (
            partition by taking.order_line_key
            order by earlier.position desc
            rows between unbounded preceding and 1 preceding
        ) as lowest_since
    from steps as taking
    inner join steps as earlier
        on taking.customer_id = earlier.customer_id
        and taking.position > earlier.position
    where taking.is_open

),

taken as (

    select
        order_line_key,
        purchased_on,
        day_amount,
        named_amount as amount
    from named
    where named_amount > 0

    union all

    select
        order_line_key,
        purchased_on,
        sold_amount as day_amount,
        least(top, coalesce(lowest_since, top), highest) - greatest(bottom, lowest) as amount
    from looked_back
    where sold_amount > 0 and least(top, coalesce(lowest_since, top), highest) > greatest(bottom, lowest)

),

-- a purchase that later returns name may be taken from twice, and has no more than it had
in_turn as (

    select
        taken.*,
        named.customer_id,
        named.returned_on,
        coalesce(
            sum(taken.amount) over (
                partition by named.customer_id, taken.purchased_on
                order by named.returned_at, named.order_line_key, taken.amount
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as amount_before
    from taken
    inner join named on taken.order_line_key = named.order_line_key

),

found as (

    select
        order_line_key,
        customer_id,
        returned_on,
        purchased_on,
        sum(least(amount, day_amount - amount_before)) as amount
    from in_turn
    where amount_before < day_amount
    group by order_line_key, customer_id, returned_on, purchased_on

),

found_by_return as (

    select order_line_key, sum(amount) as amount from found group by order_line_key

)

select
    order_line_key,
    customer_id,
    returned_on,
    cast(amount as decimal(18, 2)) as amount,
    purchased_on
from found

union all

select
    named.order_line_key,
    named.customer_id,
    named.returned_on,
    cast(named.amount - coalesce(found_by_return.amount, 0) as decimal(18, 2)) as amount,
    cast(null as date) as purchased_on
from named
left join found_by_return on named.order_line_key = found_by_return.order_line_key
where named.amount > coalesce(found_by_return.amount, 0)
