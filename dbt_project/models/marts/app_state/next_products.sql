{# What flows/steps/next_products.py ranked in the last run. dbt creates the table and does not change its rows. #}

{{ empty_from_contract() }}
