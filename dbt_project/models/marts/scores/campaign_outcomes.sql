{{ config(materialized='view') }}

{#
  Outcomes of every target of a campaign within its window, once that has ended, next to their figures at launch. They are as known at the end of the window: a later return changes nothing.
#}

with ended as (

    select
        campaign,
        launched_on as as_of_date,
        window_days as horizon_days,
        window_ends_on
    from {{ ref('campaigns') }}
    where window_ends_on <= {{ as_of_date() }}

),

sent as (

    select distinct
        sends.campaign,
        coalesce(identities.customer_id, sends.customer_id) as customer_id
    from {{ ref('campaign_sends') }} as sends
    left join {{ ref('int_customer_identities') }} as identities
        on sends.customer_id = identities.given_customer_id
    where sends.result = 'sent'

)

select
    targets.*,
    ended.horizon_days as window_days,
    ended.window_ends_on,
    sent.customer_id is not null as is_contacted,
    bought.customer_id is not null as purchased,
    coalesce(bought.spend_in_horizon, 0) as spend_in_window
from {{ ref('campaign_targets') }} as targets
inner join ended
    on targets.campaign = ended.campaign
left join {{ ref('int_customer_identities') }} as identities
    on targets.customer_id = identities.given_customer_id
left join {{ outcomes_after('ended') }} as bought
    on coalesce(identities.customer_id, targets.customer_id) = bought.customer_id
    and ended.as_of_date = bought.as_of_date
    and ended.horizon_days = bought.horizon_days
left join sent
    on targets.campaign = sent.campaign
    and coalesce(identities.customer_id, targets.customer_id) = sent.customer_id
