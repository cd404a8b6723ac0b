{# The shelf for what flows/flow/activation.py has sent: dbt makes the table and never touches its rows. #}

{{ no_rows_yet() }}
