{#
  An incremental strategy: merge, limited to the run's own batch in the table. Its date is known when the model is
  executed, and `incremental_predicates` are read when dbt parses.
#}
{% macro get_incremental_merge_batch_sql(arguments) -%}
    {% do arguments.update({'incremental_predicates': [
        'DBT_INTERNAL_DEST.as_of_date = ' ~ as_of_date(), "DBT_INTERNAL_DEST.source = 'batch'"
    ]}) %}
    {{ return(get_incremental_merge_sql(arguments)) }}
{%- endmacro %}
