{#
  What connects customer ids: an e-mail address that orders have with them, and a contact that names them or has
  one of their addresses. Only what was ordered by the as-of date counts. `known_from`: the date since which that is known.
  What ties more than max_names_of_one_person is no person (a till's address, a marketplace's), and neither is an id with
  more addresses (all guests'): they merge nobody.
#}

{%- set max_names = var('max_names_of_one_person') %}

{% if identities_are_known() %}

with customers as (

    select
        customer_id,
        email,
        min(ordered_at) as first_ordered_at
    from {{ ref('stg_shop__order_lines') }}
    where ordered_on <= {{ as_of_date() }}
    group by customer_id, email

),

first_orders as (

    select customer_id, min(first_ordered_at) as first_ordered_at from customers group by customer_id

),

addresses as (

    select * from {{ emails_of_contacts() }} as addresses

),

named as (

    select
        contacts.contact_key,
        first_orders.customer_id,
        coalesce(contacts.created_on, cast(first_orders.first_ordered_at as date)) as known_from
    from {{ ref('stg_shop__contacts') }} as contacts
    inner join first_orders on contacts.customer_id = first_orders.customer_id

),

addressed as (

    select customer_id, email, cast(first_ordered_at as date) as known_from from customers where email is not null

    union all

    select customer_id, customer_id as email, cast(first_ordered_at as date) as known_from
    from first_orders
    where customer_id like '%_@_%'

    union all

    select named.customer_id, addresses.email, named.known_from
    from named
    inner join addresses on named.contact_key = addresses.contact_key

),

-- what all have in common is not joined through: a thousand contacts with the shop's own address are a million pairs
narrow as (

    select email from addresses group by email having count(*) <= {{ max_names }}
    intersect
    select email from addressed group by email having count(distinct customer_id) <= {{ max_names }}

),

-- a contact has further addresses, by which other contacts are of the same customer
through_contacts as (

    select addressed.customer_id, others.email, addressed.known_from
    from addressed
    inner join narrow on addressed.email = narrow.email
    inner join addresses on narrow.email = addresses.email
    inner join addresses as others on addresses.contact_key = others.contact_key

),

of_emails as (

    select customer_id, email, min(known_from) as known_from
    from (select * from addressed union all select * from through_contacts) as every_address
    group by customer_id, email

),

of_contacts as (

    select contact_key, customer_id, min(known_from) as known_from
    from (
        select contact_key, customer_id, known_from from named
        union all
        select addresses.contact_key, of_emails.customer_id, of_emails.known_from
        from narrow
        inner join addresses on narrow.email = addresses.email
        inner join of_emails on narrow.email = of_emails.email
    ) as every_contact
    group by contact_key, customer_id

),

links as (

    select 'e-mail' as kind, email as link, customer_id, known_from from of_emails
    union all
    select 'contact' as kind, contact_key as link, customer_id, known_from from of_contacts

),

counted as (

    select
        links.*,
        first_orders.first_ordered_at,
        count(*) over (partition by links.kind, links.link) as customers,
        sum(case when links.kind = 'e-mail' then 1 else 0 end) over (partition by links.customer_id) as addresses
    from links
    inner join first_orders on links.customer_id = first_orders.customer_id

)

select
    kind,
    link,
    customer_id,
    first_ordered_at,
    known_from,
    customers,
    addresses,
    customers > {{ max_names }} or addresses > {{ max_names }} as is_shared
from counted

{% else %}

select
    cast(null as varchar) as kind,
    cast(null as varchar) as link,
    cast(null as varchar) as customer_id,
    cast(null as timestamp) as first_ordered_at,
    cast(null as date) as known_from,
    cast(null as bigint) as customers,
    cast(null as bigint) as addresses,
    cast(null as boolean) as is_shared
where false

{% endif %}
