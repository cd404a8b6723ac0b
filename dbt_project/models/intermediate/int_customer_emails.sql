{# The person of each e-mail address; an address of several persons is left out. #}

with links as (

    select
        links.kind,
        links.link,
        coalesce(identities.customer_id, links.customer_id) as customer_id
    from {{ ref('int_identity_links') }} as links
    left join {{ ref('int_customer_identities') }} as identities
        on links.customer_id = identities.given_customer_id

),

addresses as (

    select link as email, customer_id from links where kind = 'e-mail'
    union
    select contacts.email, links.customer_id
    from {{ emails_of_contacts() }} as contacts
    inner join links on contacts.contact_key = links.link and links.kind = 'contact'

)

select email, min(customer_id) as customer_id
from addresses
group by email
having count(*) = 1
