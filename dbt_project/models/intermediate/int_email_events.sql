{# E-mails sent to each customer and what they did with them. Grain is the event. #}

{{ config(materialized='view') }}

select
    emails.customer_id,
    events.happened_on,
    events.kind
from {{ ref('stg_shop__email_events') }} as events
inner join {{ ref('int_customer_emails') }} as emails on events.email = emails.email
where events.happened_on <= {{ as_of_date() }}
