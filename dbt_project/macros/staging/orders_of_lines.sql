{# Whether any source of this run has the column: what is about it is compiled for those runs only. #}
{% macro is_mapped(column) -%}
    {{ return(var('order_lines') | selectattr('columns.' ~ column, 'defined') | list | length > 0) }}
{%- endmacro %}

{#
  CTEs after `renamed`, up to one that is named `completed`: lines without an order's number belong to the order above
  them, and what only one line of an order says is said of all.
#}
{% macro completed_lines(mapping) -%}
    {%- set orders = mapping.get('orders') or {} -%}
    {%- if orders.continued -%}
    begun as (

        select
            *,
            max(case when order_id_text is not null then order_line_key end) over (
                order by order_line_key rows between unbounded preceding and current row
            ) as first_line_key
        from renamed

    ),

    numbered as (

        select
            * exclude (first_line_key) replace (
                case
                    when coalesce(sku_text, quantity_text) is not null
                        then max(order_id_text) over (partition by first_line_key)
                    else order_id_text
                end as order_id_text
            )
        from begun

    ),

    {% endif -%}
    completed as (

        select
            *
            {%- if orders.inherited %} replace (
                {% for column in orders.inherited -%}
                coalesce(
                    {{ column }}_text,
                    case
                        when order_id_text is not null
                            then max({{ column }}_text) over (partition by source_file, order_id_text)
                    end
                ) as {{ column }}_text{{ ',' if not loop.last }}
                {% endfor %}
            )
            {%- endif %}
        from {{ 'numbered' if orders.continued else 'renamed' }}

    )
{%- endmacro %}

{#
  CTEs after `typed`, up to one that is named `dated`: an order is of its first day, also where its lines name several. Where
  the rows of a line are its changes, `change_from_last` numbers them from the last on; what was given back is apart.
#}
{% macro dated_lines(mapping) -%}
    {%- set orders = mapping.get('orders') or {} -%}
    {%- set numbers = ['order_total', 'amount', 'unit_price', 'quantity'] | select('in', mapping.columns) | list -%}
    sided as (

        select
            *,
            false
            {%- for column in numbers %} or coalesce({{ column }}, 0) < 0 {%- endfor %}
            {%- if 'line_type' in mapping.columns %} or coalesce(line_type_text in ({{ quoted_list(orders.line_types.returns or []) }}), false)
            {%- endif %}
            {%- for column, values in (orders.given_back or {}).items() %} or coalesce({{ column }}_text in ({{ quoted_list(values) }}), false)
            {%- endfor %}
                as gives_back
        from typed

    ),

    dated as (

        select
            * exclude (gives_back) replace (
                case
                    when given_order_id is not null and not gives_back
                        then min(ordered_at) over (partition by given_order_id, customer_id, gives_back)
                    else ordered_at
                end as ordered_at
                {%- if orders.changes != 'first_day' %},
                cast(null as varchar) as given_order_line_id
                {%- endif %}
            )
            {%- if orders.changes != 'first_day' %},
            case
                when given_order_id is not null then row_number() over (
                    partition by given_order_id, customer_id, given_order_line_id, sku, gives_back
                        {%- if numbers %}, case when gives_back then {{ numbers[0] }} end {%- endif %}
                    order by ordered_at desc, order_line_key {{ 'desc' if orders.changes == 'oldest_first' }}
                )
            end as change_from_last
            {%- endif %}
        from sided

    )
{%- endmacro %}

{# Why a line is no sale, by its order's status or its own type; NULL for one that is. #}
{% macro no_sale(mapping) -%}
    {%- set orders = mapping.get('orders') or {} -%}
    {%- set flags = {'is_cancelled': 'cancelled', 'is_test': 'test order', 'is_paid': 'not paid'} -%}
    {%- set sold, refunded, types = orders.sold or {}, orders.refunded or {}, orders.line_types or {} -%}
    {%- set is_log = orders.changes in ('oldest_first', 'newest_first') -%}
    {%- if not (is_log or sold or types.get('other') or 'cancelled_at' in mapping.columns) -%} cast(null as varchar)
    {%- else -%}
    case
        {% if 'cancelled_at' in mapping.columns -%}
        when cancelled_at_text not like '0000-00-00%' then 'cancelled'
        {% endif -%}
        {% if is_log -%}
        when change_from_last > 1 then 'earlier status of the order'
        {% endif -%}
        {% for column, values in sold.items() -%}
        when {{ column }}_text not in ({{ quoted_list((values + ((orders.given_back or {}).get(column) or [])) or ['']) }})
            {%- if refunded.get(column) and 'refunded_amount' in mapping.columns %}
            and not ({{ column }}_text in ({{ quoted_list(refunded[column]) }}) and coalesce(refunded_amount, 0) <> 0)
            {%- endif %}
            then {% if column in flags %}'{{ flags[column] }}'{% else %}'status: ' || {{ column }}_text{% endif %}
        {% endfor -%}
        {% if types.get('other') -%}
        when line_type_text in ({{ quoted_list(types.other) }}) then 'type: ' || line_type_text
        {% endif %}
    end
    {%- endif -%}
{%- endmacro %}

{#
  CTEs from `validated` to one that is named `shared_out`: the total of an order is spread over its lines, by what each is
  worth, else evenly. Cents are shared out by rounding how far the total goes until each line, so that none is lost.
#}
{% macro shares_of_totals() -%}
    {%- set order -%} partition by source_name, order_id, customer_id, is_return, signed_amount, rejection_reason {%- endset -%}
    weighed as (

        select
            *,
            case when sum(line_value) over ({{ order }}) > 0 then line_value else 1 end as weight
        from validated

    ),

    summed as (

        select
            *,
            sum(weight) over ({{ order }}) as weight_of_order,
            sum(weight) over (
                {{ order }} order by order_line_key rows between unbounded preceding and current row
            ) as weight_until
        from weighed

    ),

    shared_out as (

        select
            * replace (
                case
                    when is_order_total then cast(
                        round(cast(signed_amount * weight_until as double) / weight_of_order, 2)
                        - round(cast(signed_amount * (weight_until - weight) as double) / weight_of_order, 2)
                        as decimal(18, 2)
                    )
                    else signed_amount
                end as signed_amount
            )
        from summed

    )
{%- endmacro %}
