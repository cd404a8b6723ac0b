{#
  Customer ids that are one person with others: tied by a link, or by a chain of links, that is not shared. The person has the id with the first order. In each round the smallest label passes on to everything that a link ties.
#}

{% set rounds = 8 %}

with tied as (

    select kind, link, customer_id, first_ordered_at
    from {{ ref('int_identity_links') }}
    where customers > 1 and not is_shared

),

round_0 as (

    select *, customer_id as label from tied

),

{% for round in range(rounds) -%}
by_link_{{ round }} as (

    select
        kind,
        link,
        customer_id,
        first_ordered_at,
        min(label) over (partition by kind, link) as label
    from round_{{ round }}

),

round_{{ round + 1 }} as (

    select
        kind,
        link,
        customer_id,
        first_ordered_at,
        min(label) over (partition by customer_id) as label
    from by_link_{{ round }}

),

{% endfor -%}
persons as (

    select
        customer_id as given_customer_id,
        label,
        min(first_ordered_at) as first_ordered_at
    from round_{{ rounds }}
    group by customer_id, label

),

named as (

    select
        given_customer_id,
        row_number() over (partition by label order by first_ordered_at, given_customer_id) as position,
        label
    from persons

)

select
    named.given_customer_id,
    first_ids.given_customer_id as customer_id
from named
inner join named as first_ids
    on named.label = first_ids.label
    and first_ids.position = 1
