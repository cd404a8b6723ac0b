{# Customers that a campaign contacted within the horizon after a training date. #}

with dates as (

    select as_of_date, {{ run_value('horizon_days') }} as horizon_days from {{ ref('int_training_dates') }}

)

select customer_id, as_of_date from {{ contacted_after('dates') }} as contacted
