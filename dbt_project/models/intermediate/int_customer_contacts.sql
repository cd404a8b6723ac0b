{#
  Consent of each customer from their contacts. A customer who opted out with one address, or shares an address with somebody who did, has opted out: a message too few is better than one too many. Where the contact itself is gone, the latest event decides.
  It is the same with each purpose: one no outweighs every yes.
#}

with customers as (

    select
        links.kind,
        links.link,
        coalesce(identities.customer_id, links.customer_id) as customer_id,
        min(links.known_from) as known_from
    from {{ ref('int_identity_links') }} as links
    left join {{ ref('int_customer_identities') }} as identities
        on links.customer_id = identities.given_customer_id
    group by links.kind, links.link, coalesce(identities.customer_id, links.customer_id)

),

known as (

    select customer_id, min(known_from) as known_from from customers group by customer_id

),

-- of each contact, and of all contacts that have an address
answers as (

    select
        'contact' as kind,
        contact_key as link,
        opted_out as any_out,
        opted_out as all_out,
        opted_out_on,
        case when consents_to_email = 'yes' then 1 else 0 end as any_opted_in,
        case when consents_to_advertising = 'yes' then 1 else 0 end as any_for_advertising,
        case when consents_to_advertising = 'no' then 1 else 0 end as any_against_advertising,
        case when not opted_out then email end as email
    from {{ ref('stg_shop__contacts') }}

    union all

    select
        'e-mail' as kind,
        addresses.email as link,
        max(case when contacts.opted_out then 1 else 0 end) = 1 as any_out,
        min(case when contacts.opted_out then 1 else 0 end) = 1 as all_out,
        min(contacts.opted_out_on) as opted_out_on,
        max(case when contacts.consents_to_email = 'yes' then 1 else 0 end) as any_opted_in,
        max(case when contacts.consents_to_advertising = 'yes' then 1 else 0 end) as any_for_advertising,
        max(case when contacts.consents_to_advertising = 'no' then 1 else 0 end) as any_against_advertising,
        cast(null as varchar) as email
    from {{ emails_of_contacts() }} as addresses
    inner join {{ ref('stg_shop__contacts') }} as contacts on addresses.contact_key = contacts.contact_key
    group by addresses.email

),

consents as (

    select
        customers.customer_id,
        max(case when answers.any_out then 1 else 0 end) = 1 as opted_out,
        min(case when answers.all_out then 1 else 0 end) = 0 as some_have_not,
        min(answers.opted_out_on) as opted_out_on,
        max(answers.any_opted_in) = 1 as any_opted_in,
        max(answers.any_for_advertising) = 1 as any_for_advertising,
        max(answers.any_against_advertising) = 1 as any_against_advertising,
        min(answers.email) as contact_email
    from customers
    inner join answers on customers.kind = answers.kind and customers.link = answers.link
    group by customers.customer_id

),

last_words as (

    select
        customers.customer_id,
        max(case when events.kind = 'opt_out' then events.happened_on end) as opted_out_on,
        max(case when events.kind = 'opt_in' then events.happened_on end) as opted_in_on
    from customers
    inner join {{ ref('stg_shop__email_events') }} as events
        on customers.kind = 'e-mail' and customers.link = events.email
    where events.kind in ('opt_out', 'opt_in')
    group by customers.customer_id

),

emails as (

    select customer_id, min(email) as email from {{ ref('int_customer_emails') }} group by customer_id

),

decided as (

    select
        known.customer_id,
        coalesce(consents.contact_email, emails.email) as email,
        known.known_from,
        consents.customer_id is not null as has_contact,
        coalesce(consents.opted_out and consents.some_have_not, false) as consents_differ,
        coalesce(
            consents.opted_out,
            case
                when last_words.customer_id is not null
                    then coalesce(last_words.opted_out_on >= last_words.opted_in_on, last_words.opted_out_on is not null)
            end
        ) as opted_out,
        case
            when consents.customer_id is not null then consents.opted_out_on
            when coalesce(last_words.opted_out_on >= last_words.opted_in_on, true) then last_words.opted_out_on
        end as opted_out_on,
        case
            when consents.any_against_advertising then 'no'
            when consents.any_for_advertising then 'yes'
            else 'unknown'
        end as consents_to_advertising,
        coalesce(consents.any_opted_in, false)
            or coalesce(last_words.opted_in_on > last_words.opted_out_on, last_words.opted_in_on is not null)
            as has_opted_in
    from known
    left join consents on known.customer_id = consents.customer_id
    left join last_words on known.customer_id = last_words.customer_id
    left join emails on known.customer_id = emails.customer_id

)

select
    customer_id,
    email,
    known_from,
    has_contact,
    consents_differ,
    opted_out,
    opted_out_on,
    case
        when opted_out then 'no'
        when has_opted_in then 'yes'
        else 'unknown'
    end as consents_to_email,
    consents_to_advertising
from decided
