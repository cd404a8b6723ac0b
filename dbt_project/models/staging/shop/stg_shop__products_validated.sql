{{ config(materialized='table') }}

{#
  Every product of every source, and the reason why it is rejected, if it is. A product of which nothing is said is sold.
  Where one is listed several times, its last usable row counts.
#}

{% set sources = var('products') %}

with products as (

    {% for mapping in sources -%}
    select
        '{{ mapping.connection }}' as source_name,
        _airbyte_raw_id as product_key,
        _airbyte_extracted_at as extracted_at,
        {% for column in ('sku', 'name', 'category', 'is_active') -%}
        {{ mapped_text(mapping, column) }} as {{ column }}_text{{ ',' if not loop.last }}
        {% endfor %}
    from {{ rows_of(mapping, 'products') }}
    {{ 'union all' if not loop.last }}
    {% else -%}
    select
        cast(null as varchar) as source_name,
        cast(null as varchar) as product_key,
        cast(null as timestamp) as extracted_at,
        cast(null as varchar) as sku_text,
        cast(null as varchar) as name_text,
        cast(null as varchar) as category_text,
        cast(null as varchar) as is_active_text
    where false
    {%- endfor %}

),

read as (

    select
        *,
        coalesce({{ catalogue_word('is_active_text') }} in ({{ quoted_list(words_of_inactive()) }}), false) as is_inactive,
        coalesce(
            {{ catalogue_word('is_active_text') }} not in (
                {{ quoted_list(words_of_active() + words_of_inactive()) }}
            ),
            false
        ) as is_unclear
    from products

),

counted as (

    select
        *,
        row_number() over (
            partition by sku_text, is_unclear order by extracted_at desc, product_key desc, source_name
        ) as occurrence_from_last
    from read

)

select
    source_name,
    product_key,
    extracted_at,
    sku_text as sku,
    name_text as product_name,
    category_text as category,
    not is_inactive as is_active,
    case
        when is_unclear then is_active_text
        when sku_text is null then coalesce(name_text, category_text)
    end as unreadable_text,
    case
        when sku_text is null then 'product: no sku'
        when is_unclear then 'product: neither active nor not'
        when occurrence_from_last > 1 then 'product: repeated later with the same sku'
    end as rejection_reason
from counted
