{# Accounting: landed = used + set aside. A row here is a count that does not add up. #}

with counts as (

    select
        (select count(*) from {{ source('csv', 'order_lines') }}) as landed,
        (select count(*) from {{ source('landing', 'unreadable_lines') }}) as unreadable,
        (select count(*) from {{ ref('stg_csv__order_lines') }}) as used,
        (select count(*) from {{ ref('rejected_rows') }}) as set_aside

)

select * from counts where landed + unreadable <> used + set_aside
