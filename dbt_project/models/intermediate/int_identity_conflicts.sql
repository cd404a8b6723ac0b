{# Identities that somebody should check: they were decided by rule, and may be wrong. #}

with links as (

    select
        links.*,
        identities.customer_id as person_id
    from {{ ref('int_identity_links') }} as links
    left join {{ ref('int_customer_identities') }} as identities
        on links.customer_id = identities.given_customer_id

)

select
    case when kind = 'e-mail' then 'an e-mail address of many customers: none of them are merged by it'
        else 'a contact that fits many customers: none of them are merged by it' end as conflict,
    link as identifier,
    max(customers) as customers
from links
where customers > {{ var('max_names_of_one_person') }}
group by kind, link

union all

select
    'a customer id with many e-mail addresses: nobody is merged with it' as conflict,
    customer_id as identifier,
    1 as customers
from links
where addresses > {{ var('max_names_of_one_person') }}
group by customer_id

union all

select
    'a contact names one customer, and has the e-mail address of another: they are one person now' as conflict,
    links.link as identifier,
    max(links.customers) as customers
from links
inner join {{ ref('stg_shop__contacts') }} as contacts
    on links.link = contacts.contact_key and links.kind = 'contact'
where links.customers > 1 and not links.is_shared
    and contacts.customer_id in (select customer_id from links)
group by links.link

union all

select
    'contacts of one customer, of which some have opted out and some have not: nobody writes to them' as conflict,
    customer_id as identifier,
    1 as customers
from {{ ref('int_customer_contacts') }}
where consents_differ

union all

select
    'a chain of more customer ids than are followed: some stay apart' as conflict,
    kind || ' ' || link as identifier,
    count(distinct person_id) as customers
from links
where customers > 1 and not is_shared
group by kind, link
having count(distinct coalesce(person_id, customer_id)) > 1
