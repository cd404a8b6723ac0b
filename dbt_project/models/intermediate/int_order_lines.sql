{{ config(materialized='view') }}

-- depends_on: {{ ref('currency_rates') }}

{#
  Lines known by the as-of date, in the reporting currency, under one id for each person. Features cut time off here and
  nowhere else.
#}

with lines as (

    select
        given.* exclude (source_name, email{{ ', customer_id' if identities_are_known() }})
        {%- if identities_are_known() %},
        coalesce(identities.customer_id, given.customer_id) as customer_id
        {%- endif %}
    from {{ ref('stg_shop__sold_and_returned') }} as given
    {% if identities_are_known() -%}
    left join {{ ref('int_customer_identities') }} as identities
        on given.customer_id = identities.given_customer_id
    {%- endif %}
    where given.ordered_on <= {{ as_of_date() }}

)

{% if run_value('reporting_currency') %},

rates as (

    select
        currency,
        rate,
        valid_from,
        lead(valid_from, 1, cast('9999-12-31' as date)) over (partition by currency order by valid_from) as valid_until
    from {{ ref('currency_rates') }}
    where reporting_currency = '{{ run_value("reporting_currency") }}'

)

select
    lines.* exclude (amount, currency),
    cast(
        lines.amount * case
            when coalesce(lines.currency, '{{ run_value("reporting_currency") }}') = '{{ run_value("reporting_currency") }}' then 1
            else rates.rate
        end as decimal(18, 2)
    ) as amount
from lines
left join rates
    on lines.currency = rates.currency
    and lines.ordered_on >= rates.valid_from
    and lines.ordered_on < rates.valid_until

{% else %}

select lines.* exclude (currency) from lines

{% endif %}
