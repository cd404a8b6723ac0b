{# The shelf for what destinations answer: dbt makes the table and never touches its rows. #}

{{ no_rows_yet() }}
