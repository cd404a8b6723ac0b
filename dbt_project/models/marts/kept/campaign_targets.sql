{# The shelf for whom flows/flow/campaign.py chooses: dbt makes the table and never touches its rows. #}

{{ no_rows_yet() }}
