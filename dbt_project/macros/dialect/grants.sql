{# DuckDB has no roles; without this dbt-duckdb would log so at every table. #}
{% macro duckdb__apply_grants(relation, grant_config, should_revoke=True) %}
{% endmacro %}

{#
  Only grants, and to the variable `readers` only. dbt would take away every other privilege that it finds: the sink's
  to add predictions, and what Terraform gives on future tables.
#}
{% macro snowflake__apply_grants(relation, grant_config, should_revoke=True) %}
    {% for privilege, roles in (grant_config or {}).items() %}
        {% for role in roles %}
            {% do run_query('grant ' ~ privilege ~ ' on ' ~ relation ~ ' to role ' ~ role) %}
        {% endfor %}
    {% endfor %}
{% endmacro %}
