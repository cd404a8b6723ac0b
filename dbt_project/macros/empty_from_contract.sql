{# No rows, with the columns of the model's contract. The flows merge rows in; no run of dbt removes one. #}
{% macro empty_from_contract() -%}
    select
        {%- for column in model.columns.values() %}
        cast(null as {{ column.data_type }}) as {{ column.name }}{{ ',' if not loop.last }}
        {%- endfor %}
    where false
{%- endmacro %}
