{# The customers that flows/flow/campaign.py chose. dbt creates the table and does not change its rows. #}

{{ empty_from_contract() }}
