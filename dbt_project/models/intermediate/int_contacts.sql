{{ config(materialized='view') }}

{#
  Who was contacted, and when. Whether a customer came back after a message says nothing of what the model knew
  before it, so predictions of contacted customers are not counted for or against the model. Campaigns will fill it.
#}

select
    cast(null as varchar) as customer_id,
    cast(null as date) as contacted_on
where false
