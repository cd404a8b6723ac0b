{# What was sent by e-mail, and what became of it, in our words. #}

select
    _airbyte_raw_id,
    _airbyte_extracted_at,
    id || '-' || cast(created as varchar) as event_id,
    recipient as email,
    cast(createdat as varchar) as happened_at,
    case
        when type = 'STATUSCHANGE' and portalsubscriptionstatus = 'UNSUBSCRIBED' then 'opt_out'
        when type = 'STATUSCHANGE' and portalsubscriptionstatus = 'SUBSCRIBED' then 'opt_in'
        else lower(type)
    end as kind
from {{ source('hubspot', 'email_events') }}
