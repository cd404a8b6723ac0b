{# Whether this run knows anything by which two customer ids may be one person: contacts, or e-mail addresses of orders. #}
{% macro identities_are_known() -%}
    {{ return(
        (var('contacts') | length > 0)
        or (var('order_lines') | selectattr('columns.email', 'defined') | list | length > 0)
    ) }}
{%- endmacro %}

{# Each e-mail address of each contact, one row each: the first, and the others. #}
{% macro emails_of_contacts() -%}
    (
        select contact_key, email from {{ ref('stg_shop__contacts') }} where email is not null
        union
        select contact_key, {{ normalised_email('part') }} as email
        from {{ split_values(ref('stg_shop__contacts'), ['contact_key'], 'other_emails') }} as others
        where part like '%_@_%'
    )
{%- endmacro %}
