{{ config(materialized='view') }}

{#
  Customers that nobody may contact, so that the effect of campaigns can be measured: the holdout of each campaign whose
  window is open, and everyone who was ever in the global holdout.
#}

select distinct coalesce(identities.customer_id, targets.customer_id) as customer_id
from {{ ref('campaign_targets') }} as targets
inner join {{ ref('campaigns') }} as campaigns
    on targets.campaign = campaigns.campaign
left join {{ ref('int_customer_identities') }} as identities
    on targets.customer_id = identities.given_customer_id
where campaigns.launched_on <= {{ as_of_date() }}
    and (targets.arm = 'global_holdout' or (targets.arm = 'holdout' and campaigns.window_ends_on > {{ as_of_date() }}))
