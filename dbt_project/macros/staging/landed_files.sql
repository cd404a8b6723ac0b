{#
  What the ingest of files left of each kind that this run read from files: its validated rows, the records that could not
  be read, and which rows stand where in which file.
#}
{% macro kinds_from_files() -%}
    {%- set kinds = [] -%}
    {%- if var('order_lines') | rejectattr('model') | list -%}
        {%- do kinds.append({'unreadable': source('landing', 'unreadable_lines'),
                             'spans': source('landing', 'landed_spans'), 'kind': 'order_lines'}) -%}
    {%- endif -%}
    {%- if var('contacts') | rejectattr('model') | list -%}
        {%- do kinds.append({'unreadable': source('landing', 'unreadable_contacts'),
                             'spans': source('landing', 'landed_contact_spans'), 'kind': 'contacts'}) -%}
    {%- endif -%}
    {%- if var('products') | rejectattr('model') | list -%}
        {%- do kinds.append({'unreadable': source('landing', 'unreadable_products'),
                             'spans': source('landing', 'landed_product_spans'), 'kind': 'products'}) -%}
    {%- endif -%}
    {{ return(kinds) }}
{%- endmacro %}
