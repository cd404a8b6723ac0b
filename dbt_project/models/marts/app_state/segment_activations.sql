{# What flows/flow/activation.py has sent. dbt creates the table and does not change its rows. #}

{{ empty_from_contract() }}
