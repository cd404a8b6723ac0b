{# The grid of segments has all 25 pairs of scores. A row here is a grid that has lost some. #}

select count(*) as pairs
from {{ ref('rfm_segment_grid') }}
where r_score between 1 and 5 and fm_score between 1 and 5
having count(*) <> 25
