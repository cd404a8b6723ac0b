{{ config(materialized='view') }}

{#
  Who was contacted by a campaign, when, and the end of the attribution window. Until then the customer's behaviour may
  be an effect of the campaign, so the model is neither measured by it nor trained on it.
#}

select
    coalesce(identities.customer_id, sends.customer_id) as customer_id,
    min(sends.contacted_on) as contacted_on,
    campaigns.window_ends_on as attribution_window_end
from {{ ref('campaign_sends') }} as sends
inner join {{ ref('campaigns') }} as campaigns
    on sends.campaign = campaigns.campaign
left join {{ ref('int_customer_identities') }} as identities
    on sends.customer_id = identities.given_customer_id
where sends.result = 'sent'
group by coalesce(identities.customer_id, sends.customer_id), campaigns.campaign, campaigns.window_ends_on
