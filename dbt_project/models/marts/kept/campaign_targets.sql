{# The shelf for whom flows/campaigning.py chooses: dbt makes the table and never touches its rows. #}

{{ no_rows_yet() }}
