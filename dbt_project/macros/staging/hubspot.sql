{#
  The records of one of HubSpot's streams that are still there. What was archived is named by a stream of its own; a
  record that changed after that has been restored.
#}
{% macro hubspot_records(stream) -%}
    (
        select records.*
        from {{ source('hubspot', stream) }} as records
        left join {{ source('hubspot', 'archived_' ~ stream) }} as archived
            on records.id = archived.id
            and archived.archivedat >= records.updatedat
        where archived.id is null
    )
{%- endmacro %}

{# The shop's own id of a contact's customer; one made of HubSpot's where the shop has given none. #}
{% macro hubspot_customer_id(contacts) -%}
    coalesce(nullif(trim({{ contacts }}.properties_customer_id), ''), 'hubspot-' || {{ contacts }}.id)
{%- endmacro %}
