{#
  Accounting: landed = used + rejected, of order lines, contacts and products. A row here is a count that does not add
  up. What a source lands meanwhile is compared as of its validation.
#}

with counts as (

    select
        0
        {%- for kind, validated in (('order_lines', 'stg_shop__order_lines_validated'), ('contacts', 'stg_shop__contacts_validated'),
                                    ('products', 'stg_shop__products_validated')) %}
        {%- for mapping in var(kind) | selectattr('model') %}
        + (select count(*) from {{ ref(validated) }} where source_name = '{{ mapping.connection }}')
        {%- endfor %}
        {%- if var(kind) | rejectattr('model') | list %}
        + (select count(*) from {{ source(kind, kind) }})  {# all of it, whatever its mappings name #}
        {%- endif %}
        {%- endfor %}
        {%- for landed in kinds_from_files() %}
        + (select count(*) from {{ landed.unreadable }})
        {%- endfor %} as landed,
        (select count(*) from {{ ref('stg_shop__order_lines') }})
        + (select count(*) from {{ ref('stg_shop__contacts') }})
        + (select count(*) from {{ ref('stg_shop__products') }}) as used,
        (select count(*) from {{ ref('rejected_rows') }}) as rejected

)

select * from counts where landed <> used + rejected
