{#
  Contacts that are still there. One that was merged into another is named by it, and gone. When somebody opted out, the
  event of that moment says.
#}

with contacts as (

    select * from {{ hubspot_records('contacts') }} as contacts

),

merged as (

    select distinct part as id
    from {{ split_values('contacts', ['id'], 'properties_hs_merged_object_ids') }} as into_others

),

opt_outs as (

    select
        {{ normalised_email('recipient') }} as email,
        max(createdat) as opted_out_at
    from {{ source('hubspot', 'email_events') }}
    where type = 'STATUSCHANGE' and portalsubscriptionstatus = 'UNSUBSCRIBED'
    group by 1

)

select
    contacts._airbyte_raw_id,
    contacts._airbyte_extracted_at,
    contacts.id as contact_id,
    {{ hubspot_customer_id('contacts') }} as customer_id,
    contacts.properties_email as email,
    contacts.properties_hs_additional_emails as other_emails,
    contacts.properties_hs_email_optout as opted_out,
    case when lower(contacts.properties_hs_email_optout) = 'true' then cast(opt_outs.opted_out_at as varchar) end
        as opted_out_at,
    contacts.properties_hs_legal_basis as legal_basis,
    contacts.properties_consents_to_advertising as consents_to_advertising,
    cast(contacts.properties_createdate as varchar) as created_at
from contacts
left join merged on contacts.id = merged.id
left join opt_outs on {{ normalised_email('contacts.properties_email') }} = opt_outs.email
where merged.id is null
