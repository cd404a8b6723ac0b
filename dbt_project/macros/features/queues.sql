{# What a queue is sorted by; where nobody was scored, the money spent so far. #}
{% macro by_queue(keep, win_back, thank) -%}
    case
        when rfm.queue is null then null
        when predictions.lifecycle is null then rfm.monetary
        when rfm.queue = 'keep' then {{ keep }}
        when rfm.queue = 'win_back' then {{ win_back }}
        when rfm.queue = 'thank' then {{ thank }}
    end
{%- endmacro %}

{# Why a customer is in a queue, in one sentence, with their own figures. #}
{% macro why_in_queue() -%}
    case when rfm.queue is not null then
        coalesce(predictions.lifecycle, 'segment ' || rfm.segment)
        || case when rfm.frequency = 1 then ': only order ' else ': last order ' end
        || case
            when rfm.recency_days = 0 then 'today'
            else {{ counted('rfm.recency_days', 'day') }} || ' ago'
        end
        || case
            when features.median_gap_days is null then ''
            when features.median_gap_days < 1.5 then ', usually every day'
            -- a half to the even number, as the reasons round it
            when features.median_gap_days - floor(features.median_gap_days) = 0.5
                then ', usually every ' || cast(cast(2 * round(cast(features.median_gap_days as double) / 2) as integer) as varchar) || ' days'
            else ', usually every ' || cast(cast(round(features.median_gap_days) as integer) as varchar) || ' days'
        end
        || case
            when predictions.lifecycle is null then '; ' || {{ amount_in_words('rfm.monetary') }} || ' spent so far'
            when rfm.queue = 'keep'
                then '; ' || {{ amount_in_words('predictions.expected_loss') }} || ' less is expected than if they stay'
            when rfm.queue = 'win_back'
                then '; ' || {{ amount_in_words('predictions.win_back_value') }} || ' more could be won if they came back'
            else '; ' || {{ amount_in_words('predictions.clv') }} || ' is expected in '
                || {{ counted('predictions.clv_days', 'day') }}
        end
    end
{%- endmacro %}
