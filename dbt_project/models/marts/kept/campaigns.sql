{# The shelf for what flows/campaigning.py launches: dbt makes the table and never touches its rows. #}

{{ no_rows_yet() }}
