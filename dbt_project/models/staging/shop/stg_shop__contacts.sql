{{ config(materialized='view') }}

{# The contacts with a known person. #}

select
    source_name,
    contact_key,
    contact_id,
    customer_id,
    email,
    other_emails,
    opted_out,
    opted_out_on,
    consents_to_email,
    consents_to_advertising,
    created_on
from {{ ref('stg_shop__contacts_validated') }}
where rejection_reason is null
