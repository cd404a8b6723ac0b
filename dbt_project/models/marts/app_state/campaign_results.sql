{# Results that flows/steps/measurement.py writes. dbt creates the table and does not change its rows. #}

{{ empty_from_contract() }}
