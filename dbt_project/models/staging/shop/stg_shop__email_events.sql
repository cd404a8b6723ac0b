{{ config(materialized='table') }}

{# What was sent to people, and what they did with it, of every source. #}

{% set sources = var('email_events') %}

{% for mapping in sources -%}
select
    '{{ mapping.connection }}' as source_name,
    {{ mapped_text(mapping, 'event_id') }} as event_id,
    {{ normalised_email(mapped_text(mapping, 'email')) }} as email,
    cast(
        {{ mapped_timestamp(mapping, 'happened_at') }}
        as date
    ) as happened_on,
    lower({{ mapped_text(mapping, 'kind') }}) as kind
from {{ rows_of(mapping, 'email_events') }}
{{ 'union all' if not loop.last }}
{% else -%}
select
    cast(null as varchar) as source_name,
    cast(null as varchar) as event_id,
    cast(null as varchar) as email,
    cast(null as date) as happened_on,
    cast(null as varchar) as kind
where false
{%- endfor %}
