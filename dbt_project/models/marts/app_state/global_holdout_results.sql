{# What flows/steps/measurement.py measured. dbt creates the table and does not change its rows. #}

{{ empty_from_contract() }}
