{# No row, with the columns of the model's contract. Rows are merged in by the flows, and no run of dbt removes one. #}
{% macro no_rows_yet() -%}
    select
        {%- for column in model.columns.values() %}
        cast(null as {{ column.data_type }}) as {{ column.name }}{{ ',' if not loop.last }}
        {%- endfor %}
    where false
{%- endmacro %}
