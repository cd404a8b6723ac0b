{# Three scores from 1 to 5, or three zeros, are in exactly one box of the rules. A row here is in none or in several. #}

with scores as (

    select r.score as r_score, f.score as f_score, m.score as m_score
    from (select 0 as score{% for n in range(1, 6) %} union all select {{ n }}{% endfor %}) as r
    cross join (select 0 as score{% for n in range(1, 6) %} union all select {{ n }}{% endfor %}) as f
    cross join (select 0 as score{% for n in range(1, 6) %} union all select {{ n }}{% endfor %}) as m
    where (r.score > 0 and f.score > 0 and m.score > 0) or r.score + f.score + m.score = 0

)

select scores.r_score, scores.f_score, scores.m_score, count(rules.segment) as boxes
from scores
left join {{ ref('rfm_segment_rules') }} as rules
    on scores.r_score between rules.r_from and rules.r_to
    and scores.f_score between rules.f_from and rules.f_to
    and scores.m_score between rules.m_from and rules.m_to
group by scores.r_score, scores.f_score, scores.m_score
having count(rules.segment) <> 1
