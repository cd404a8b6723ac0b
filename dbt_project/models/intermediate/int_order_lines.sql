{{ config(materialized='view') }}

{# Lines known by the as-of date, in the reporting currency. The only place that cuts time off. #}

with lines as (

    select * from {{ ref('stg_csv__order_lines') }}
    where ordered_on <= {{ as_of_date() }}

)

{% if var('reporting_currency') %},

rates as (

    select
        currency,
        rate,
        valid_from,
        lead(valid_from, 1, cast('9999-12-31' as date)) over (partition by currency order by valid_from) as valid_until
    from {{ ref('currency_rates') }}
    where reporting_currency = '{{ var("reporting_currency") }}'

)

select
    lines.* exclude (amount, currency),
    cast(
        lines.amount * case
            when coalesce(lines.currency, '{{ var("reporting_currency") }}') = '{{ var("reporting_currency") }}' then 1
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
