{# Accounting: customers' spend, as known today, is at most their sales and at least sales less returns. #}

with totals as (

    select
        (select sum(amount) from {{ ref('int_order_lines') }} where not is_return) as sales,
        (select coalesce(sum(amount), 0) from {{ ref('int_returns') }} where purchased_on is not null) as sent_back,
        (select sum(net_amount) from {{ ref('int_purchases') }} where known_until = cast('9999-12-31' as date)) as spent

)

select * from totals where spent > sales or spent < sales - sent_back
