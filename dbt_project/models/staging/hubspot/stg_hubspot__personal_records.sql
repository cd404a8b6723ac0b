{#
  The person of each record: what has to go when somebody is erased. Besides the shop's own id, each contact goes
  by HubSpot's, which deals keep when the contact is gone.
#}

with contacts as (

    select
        id,
        _airbyte_raw_id,
        {{ hubspot_customer_id('contacts') }} as customer_id,
        properties_email as email,
        properties_hs_additional_emails as other_emails
    from {{ source('hubspot', 'contacts') }} as contacts

),

deals as (

    select
        id,
        _airbyte_raw_id,
        {{ json_text('associations', 'contacts.results[0].id') }} as contact_id
    from {{ source('hubspot', 'deals') }}

),

line_items as (

    select
        id,
        _airbyte_raw_id,
        {{ json_text('associations', 'deals.results[0].id') }} as deal_id
    from {{ source('hubspot', 'line_items') }}

)

select 'contacts' as stream, _airbyte_raw_id, customer_id, {{ normalised_email('email') }} as email
from contacts

union all

select 'contacts' as stream, _airbyte_raw_id, 'hubspot-' || id as customer_id, {{ normalised_email('part') }} as email
from {{ split_values('contacts', ['_airbyte_raw_id', 'id'], "coalesce(other_emails, email, ' - ')") }} as others

union all

select 'archived_contacts' as stream, _airbyte_raw_id, 'hubspot-' || id as customer_id, cast(null as varchar) as email
from {{ source('hubspot', 'archived_contacts') }}

union all

select 'deals' as stream, _airbyte_raw_id, 'hubspot-' || contact_id as customer_id, cast(null as varchar) as email
from deals

union all

select
    'line_items' as stream,
    line_items._airbyte_raw_id,
    'hubspot-' || deals.contact_id as customer_id,
    cast(null as varchar) as email
from line_items
inner join deals on line_items.deal_id = deals.id

union all

select
    'email_events' as stream,
    _airbyte_raw_id,
    cast(null as varchar) as customer_id,
    {{ normalised_email('recipient') }} as email
from {{ source('hubspot', 'email_events') }}
