{# What flows/steps/promises.py wrote down. dbt creates the table and does not change its rows. #}

{{ empty_from_contract() }}
