{# Whole days from one date to a later one. #}
{% macro days_between(earlier, later) -%}
    {{ dbt.datediff(earlier, later, 'day') }}
{%- endmacro %}

{% macro as_of_date() -%}
    cast('{{ run_value("as_of_date") }}' as date)
{%- endmacro %}

{% macro add_days(date, days) -%}
    cast({{ dbt.dateadd('day', days, date) }} as date)
{%- endmacro %}

{% macro add_months(date, months) -%}
    cast({{ dbt.dateadd('month', months, date) }} as date)
{%- endmacro %}

{# A subquery of each date and horizon of `dates` (as_of_date, horizon_days) once, with the day on which the horizon ends. #}
{% macro horizons_of(dates) -%}
    (
        select distinct
            as_of_date,
            horizon_days,
            {{ add_days('as_of_date', 'horizon_days') }} as horizon_ends_on
        from {{ dates }}
    )
{%- endmacro %}
