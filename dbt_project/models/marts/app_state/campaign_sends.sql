{# What destinations reported for each customer. dbt creates the table and does not change its rows. #}

{{ empty_from_contract() }}
