{# What each campaign changed, compared with its holdout. Campaigns will fill it. #}

select
    cast(null as varchar) as campaign,
    cast(null as varchar) as segment,
    cast(null as date) as launched_on,
    cast(null as date) as window_ends_on,
    cast(null as bigint) as treated,
    cast(null as bigint) as held_out,
    cast(null as double) as treated_rate,
    cast(null as double) as held_out_rate,
    cast(null as double) as lift,
    cast(null as double) as lift_low,
    cast(null as double) as lift_high,
    cast(null as double) as margin_per_treated,
    cast(null as double) as cost,
    cast(null as double) as profit
where false
