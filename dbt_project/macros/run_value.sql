{#
  A value that changes from run to run: the as-of date, the horizon, the model that scores … It comes from the environment when a node is executed. In dbt's parse, in unit tests and without a flow it is the variable of the same name, so that the parse is the same for every run and can be reused.
#}
{% macro run_value(name) -%}
    {%- set default = var(name) -%}
    {%- set is_a_run = execute and (model is not defined or model.resource_type != 'unit_test') -%}
    {%- set given = fromjson(env_var('DBT_ENV_CUSTOM_ENV_RUN_VALUES', '{}')) if is_a_run else {} -%}
    {{ return(given.get(name, default)) }}
{%- endmacro %}
