"""The receipt of a run, read from the staged order lines, and the receipts of runs before it."""

from datetime import datetime

import pyarrow as pa

from flows.ports.warehouse import Warehouse
from flows.sources.receipt import Contacts, KnownProducts, Month, Products, Receipt, Rejection, Totals

RELATION = "raw.receipts"
KEY = ("recorded_at", "currency", "month")

_LINES = "staging.stg_shop__sold_and_returned"
_MONTHS = f"""
    select
        currency,
        cast(date_trunc('month', ordered_on) as date) as month,
        count(distinct case when not is_return then source_name || ' ' || order_id end) as orders,
        cast(sum(case when is_return then 0 else amount end) as double) as gross,
        cast(sum(case when is_return then amount else 0 end) as double) as refunds
    from {_LINES}
    group by 1, 2
    order by 1, 2
"""
_TOTALS = f"""
    with orders as (
        select
            currency,
            source_name,
            order_id,
            min(customer_id) as customer_id,
            count(*) as lines,
            min(ordered_on) as first_on,
            max(ordered_on) as last_on,
            count(case when not is_return then 1 end) > 0 as is_sale,
            sum(case when is_return then 0 else amount end) as sold,
            sum(case when is_return then amount else 0 end) as refunded
        from {_LINES}
        group by currency, source_name, order_id
    ),

    customers as (
        select
            currency,
            customer_id,
            sum(case when is_sale then 1 else 0 end) as orders,
            sum(sold) as sold,
            sum(refunded) as refunded
        from orders
        group by currency, customer_id
    ),

    of_orders as (
        select
            currency,
            sum(lines) as lines,
            sum(case when is_sale then 1 else 0 end) as orders,
            min(first_on) as first_on,
            max(last_on) as last_on,
            sum(sold) as gross,
            sum(refunded) as refunds,
            median(case when is_sale then sold end) as median_order,
            max(sold) as largest_order,
            max_by(order_id, sold) as largest_order_id
        from orders
        group by currency
    ),

    of_customers as (
        select
            currency,
            sum(case when orders > 0 then 1 else 0 end) as customers,
            sum(case when orders > 1 then 1 else 0 end) as returning_customers,
            sum(case when orders = 0 then refunded else 0 end) as refunds_of_nobody,
            max(orders) as most_orders,
            max_by(customer_id, orders) as most_orders_customer,
            max(sold) as most_sales
        from customers
        group by currency
    )

    select
        of_orders.currency,
        cast(of_orders.lines as bigint) as lines,
        cast(of_orders.orders as bigint) as orders,
        cast(of_customers.customers as bigint) as customers,
        cast(of_customers.returning_customers as bigint) as returning_customers,
        of_orders.first_on,
        of_orders.last_on,
        cast(of_orders.gross as double) as gross,
        cast(of_orders.refunds as double) as refunds,
        cast(of_customers.refunds_of_nobody as double) as refunds_of_nobody,
        cast(coalesce(of_orders.median_order, 0) as double) as median_order,
        cast(of_orders.largest_order as double) as largest_order,
        of_orders.largest_order_id,
        cast(of_customers.most_orders as bigint) as most_orders,
        of_customers.most_orders_customer,
        cast(of_customers.most_sales as double) as most_sales
    from of_orders
    inner join of_customers on of_orders.currency is not distinct from of_customers.currency
    order by of_orders.lines desc
"""
_REJECTIONS = """
    with counted as (
        select
            kind,
            reason,
            currency,
            count(*) as "rows",
            cast(coalesce(sum(amount), 0) as double) as amount,
            min(_airbyte_raw_id) is null as is_no_record
        from raw.rejected_rows
        group by kind, reason, currency
    ),

    examples as (
        select kind, reason, currency, example, file, line
        from raw.rejected_rows
        qualify row_number() over (
            partition by kind, reason, currency
            order by case when example is null then 1 else 0 end, file, line, _airbyte_raw_id
        ) = 1
    )

    select counted.*, examples.example, examples.file, examples.line
    from counted
    inner join examples
        on counted.kind = examples.kind
        and counted.reason = examples.reason
        and counted.currency is not distinct from examples.currency
    order by counted."rows" desc, counted.reason, counted.currency
"""
_CONTACTS = f"""
    with customers as (
        select distinct customer_id, email from {_LINES}
    ),

    of_orders as (
        select customer_id as name from customers
        union
        select email as name from customers where email is not null
    ),

    of_contacts as (
        select customer_id as name from staging.stg_shop__contacts where customer_id is not null
        union
        select email as name from staging.stg_shop__contacts where email is not null
    ),

    known as (
        select
            count(*) as contacts,
            count(case when same_id.name is null and same_email.name is null then 1 end) as of_nobody,
            min(coalesce(contacts.customer_id, contacts.email)) as example,
            count(case when contacts.consents_to_email = 'yes' then 1 end) as consent_to_email,
            count(case when contacts.consents_to_email = 'no' then 1 end) as opted_out,
            count(case when contacts.consents_to_advertising = 'yes' then 1 end) as consent_to_advertising,
            count(case when contacts.consents_to_advertising = 'no' then 1 end) as refuse_advertising
        from staging.stg_shop__contacts as contacts
        left join of_orders as same_id on contacts.customer_id = same_id.name
        left join of_orders as same_email on contacts.email = same_email.name
    ),

    met as (
        select
            count(distinct customers.customer_id) as customers,
            count(
                distinct case
                    when same_id.name is not null or same_email.name is not null then customers.customer_id
                end
            ) as with_contact,
            min(customers.customer_id) as example
        from customers
        left join of_contacts as same_id on customers.customer_id = same_id.name
        left join of_contacts as same_email on customers.email = same_email.name
    )

    select
        known.contacts,
        known.of_nobody,
        met.customers,
        met.customers - met.with_contact as without_contact,
        known.example,
        met.example as example_of_orders,
        known.consent_to_email,
        known.opted_out,
        known.consent_to_advertising,
        known.refuse_advertising
    from known
    cross join met
"""
_PRODUCTS = """
    select
        count(*) as products,
        count(case when not is_active then 1 end) as inactive,
        min(sku) as example
    from staging.stg_shop__products
"""
_COVERAGE = f"""
    with sales as (
        select
            sold.currency,
            sold.sku,
            sold.amount,
            sold.sku is null as has_no_sku,
            sold.sku is not null and known.sku is null as is_unknown
        from {_LINES} as sold
        left join staging.stg_shop__products as known on sold.sku = known.sku
        where not sold.is_return
    )

    select
        currency,
        count(*) as lines,
        cast(sum(amount) as double) as amount,
        count(case when has_no_sku then 1 end) as lines_without_sku,
        cast(sum(case when has_no_sku then amount else 0 end) as double) as amount_without_sku,
        count(distinct case when is_unknown then sku end) as unknown_skus,
        count(case when is_unknown then 1 end) as unknown_lines,
        cast(sum(case when is_unknown then amount else 0 end) as double) as unknown_amount,
        min(case when is_unknown then sku end) as example
    from sales
    group by currency
    order by lines desc, currency
"""
_COLUMNS = pa.schema([
    ("recorded_at", pa.timestamp("us")),  # UTC
    ("currency", pa.string()),
    ("month", pa.date32()),
    ("orders", pa.int64()),
    ("gross", pa.float64()),
    ("refunds", pa.float64()),
    ("net", pa.float64()),
])  # fmt: skip


def read_receipt(warehouse: Warehouse) -> Receipt:
    """What the staged order lines, contacts and products hold, and what was rejected of them."""
    return Receipt(
        totals=[Totals(**row) for row in warehouse.read(_TOTALS).to_pylist()],
        months=[Month(**row) for row in warehouse.read(_MONTHS).to_pylist()],
        rejections=[Rejection(**row) for row in warehouse.read(_REJECTIONS).to_pylist()],
        contacts=Contacts(*warehouse.row(_CONTACTS)),
        products=_read_products(warehouse),
    )


def _read_products(warehouse: Warehouse) -> Products | None:
    products, inactive, example = warehouse.row(_PRODUCTS)
    if not products:
        return None
    coverage = [KnownProducts(**row) for row in warehouse.read(_COVERAGE).to_pylist()]
    return Products(products, inactive, example, coverage)


def keep_receipt(warehouse: Warehouse, receipt: Receipt, at: datetime) -> None:
    """Adds the months of a receipt to `raw.receipts`. `at`: UTC, without a time zone."""
    rows = [
        {"recorded_at": at, "currency": of.currency, "month": of.month, "orders": of.orders, "gross": of.gross}
        | {"refunds": of.refunds, "net": of.net}
        for of in receipt.months
    ]
    if rows:
        warehouse.merge(RELATION, pa.Table.from_pylist(rows, _COLUMNS), KEY)
