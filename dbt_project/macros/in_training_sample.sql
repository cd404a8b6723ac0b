{#
  Whether a customer is one of those on whom models are trained: of a big shop, so many as are wanted (TRAINING_CUSTOMERS).
  The hash of the id decides, so that it is the same customers in every run and on every engine. It is compared as text:
  everybody's is below g.
#}
{% macro in_training_sample(customer_id) -%}
    md5({{ customer_id }}) < '{{ run_value("training_sample_below") }}'
{%- endmacro %}
