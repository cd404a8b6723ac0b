{# The campaigns that flows/flow/campaign.py launched. dbt creates the table and does not change its rows. #}

{{ empty_from_contract() }}
