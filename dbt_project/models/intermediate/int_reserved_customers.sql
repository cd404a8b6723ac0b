{{ config(materialized='view') }}

{#
  Customers whom nobody may contact but their campaign, so that its effect can be measured: both arms of each campaign
  whose window is open. Those in a holdout, and everyone who was ever in the global one, are contacted by nobody.
#}

select
    coalesce(identities.customer_id, targets.customer_id) as customer_id,
    max(case when targets.arm = 'treated' then 0 else 1 end) = 1 as is_in_holdout
from {{ ref('campaign_targets') }} as targets
inner join {{ ref('campaigns') }} as campaigns
    on targets.campaign = campaigns.campaign
left join {{ ref('int_customer_identities') }} as identities
    on targets.customer_id = identities.given_customer_id
where campaigns.launched_on <= {{ as_of_date() }}
    and (targets.arm = 'global_holdout' or campaigns.window_ends_on > {{ as_of_date() }})
group by coalesce(identities.customer_id, targets.customer_id)
