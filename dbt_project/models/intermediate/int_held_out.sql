{{ config(materialized='view') }}

{#
  Whom nobody is to contact, so that it can be told what campaigns change: who is held out of a campaign whose window is
  open, and who was ever taken into the global holdout.
#}

select distinct coalesce(identities.customer_id, targets.customer_id) as customer_id
from {{ ref('campaign_targets') }} as targets
inner join {{ ref('campaigns') }} as campaigns
    on targets.campaign = campaigns.campaign
left join {{ ref('int_customer_identities') }} as identities
    on targets.customer_id = identities.given_customer_id
where campaigns.launched_on <= {{ as_of_date() }}
    and (targets.arm = 'global_holdout' or (targets.arm = 'holdout' and campaigns.window_ends_on > {{ as_of_date() }}))
