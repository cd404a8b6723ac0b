{# The shelf for what flows/steps/measurement.py finds: dbt makes the table and never touches its rows. #}

{{ no_rows_yet() }}
