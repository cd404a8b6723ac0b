{#
  Whether models are trained on a customer: of a large shop, on TRAINING_CUSTOMERS of them.
  The hash of the id decides, so that it is the same customers in every run and on every engine. It is compared as text:
  every md5 is below g.
#}
{% macro in_training_sample(customer_id) -%}
    md5({{ customer_id }}) < '{{ run_value("training_sample_below") }}'
{%- endmacro %}
