{# The shelf for what flows/flow/campaign.py launches: dbt makes the table and never touches its rows. #}

{{ no_rows_yet() }}
