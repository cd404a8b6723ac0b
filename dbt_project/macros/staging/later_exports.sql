{#
  CTEs over `lines`, the last of which is `exported`: every line, whether a later file has its order again, as the shop
  knows it by then, and which copy it is of an identical line in other files. An export is later than another if its last
  orders are, but for the one in a hundred whose date may be wrong.

  It is the same order if it has the same number, and the same customer or day: two shops number alike. Returns under a
  sale's number have days of their own. A file that goes on where another was cut in two has other products of the order.
#}
{% macro later_exports() -%}
last_days as (

    select
        source_name,
        source_file,
        percentile_disc(0.99) within group (order by ordered_on) as last_on
    from lines
    where ordered_on <= cast('{{ run_value("run_date") }}' as date)
    group by source_name, source_file

),

files as (

    select
        source_name,
        source_file,
        row_number() over (partition by source_name order by last_on, source_file) as export
    from last_days

),

of_files as (

    select
        lines.*,
        coalesce(files.export, 0) as export,
        row_number() over (
            partition by
                lines.source_name, lines.source_file, order_id, given_order_line_id, customer_id, sku, ordered_at, quantity,
                signed_amount
            order by order_line_key
        ) as occurrence_in_file
    from lines
    left join files
        on lines.source_name = files.source_name
        and lines.source_file = files.source_file

),

last_exports as (

    select
        *,
        max(export) over (partition by source_name, is_return, order_id, ordered_on) as last_of_day,
        case
            when not is_return and customer_id is not null
                then max(export) over (partition by source_name, is_return, order_id, customer_id)
            else 0
        end as last_of_customer,
        max(export) over (partition by source_name, is_return, order_id, sku) as last_of_product
    from of_files

),

exported as (

    select
        *,
        has_order_id
            and (export < last_of_day or export < last_of_customer)
            and max(case when export < last_of_product then 1 else 0 end) over (
                partition by source_name, is_return, order_id, export
            ) = 1 as is_in_a_later_export,
        row_number() over (
            partition by
                source_name, order_id, given_order_line_id, customer_id, sku, ordered_at, quantity, signed_amount,
                occurrence_in_file
            order by export, order_line_key
        ) as copy
    from last_exports

)
{%- endmacro %}
