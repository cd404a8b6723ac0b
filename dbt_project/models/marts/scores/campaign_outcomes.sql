{{ config(materialized='view') }}

{#
  Outcomes of every target of a campaign within its window, once that has ended, next to their figures at launch. They are
  as known at the end of the window: a later return changes nothing. 60 days later, what they spent after it: a campaign
  may have brought purchases forward.
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

afterwards as (

    select
        campaign,
        window_ends_on as as_of_date,
        60 as horizon_days
    from ended
    where {{ add_days('window_ends_on', 60) }} <= {{ as_of_date() }}

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
    coalesce(bought.spend_in_horizon, 0) as spend_in_window,
    case when afterwards.campaign is not null then coalesce(later.spend_in_horizon, 0) end as spend_afterwards
from {{ ref('campaign_targets') }} as targets
inner join ended
    on targets.campaign = ended.campaign
left join {{ ref('int_customer_identities') }} as identities
    on targets.customer_id = identities.given_customer_id
left join {{ outcomes_after('ended') }} as bought
    on coalesce(identities.customer_id, targets.customer_id) = bought.customer_id
    and ended.as_of_date = bought.as_of_date
    and ended.horizon_days = bought.horizon_days
left join afterwards
    on targets.campaign = afterwards.campaign
left join {{ outcomes_after('afterwards') }} as later
    on coalesce(identities.customer_id, targets.customer_id) = later.customer_id
    and afterwards.as_of_date = later.as_of_date
left join sent
    on targets.campaign = sent.campaign
    and coalesce(identities.customer_id, targets.customer_id) = sent.customer_id
