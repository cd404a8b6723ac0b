{#
  CTEs, the last of which is `engaged`: for each customer with an address or contact known by a date of `dates`, what they
  had done with our e-mails by then, and whether they had opted out. Before the first event that any source has, nothing is known of
  opens and clicks, which is not the same as none.
#}
{% macro email_engagement(dates, sampled=false) -%}
{%- set kinds = (('open', 'emails_opened_last_{}_days'), ('click', 'emails_clicked_last_{}_days')) -%}
{%- set age = days_between('events.happened_on', 'dates.as_of_date') -%}
kept_since as (

    select min(happened_on) as first_event_on from {{ ref('int_email_events') }}

),

of_customers as (

    select
        customers.customer_id,
        dates.as_of_date,
        kept_since.first_event_on <= dates.as_of_date as events_are_known,
        case
            when customers.opted_out is null then null
            -- since when is not known: at the run's own date it is so, and of earlier ones nothing is known
            when customers.opted_out and customers.opted_out_on is null
                then case when dates.as_of_date = {{ as_of_date() }} then 1 end
            when customers.opted_out_on <= dates.as_of_date then 1
            else 0
        end as has_opted_out
    from {{ ref('int_customer_contacts') }} as customers
    inner join {{ dates }} as dates on customers.known_from <= dates.as_of_date
    cross join kept_since
    {% if sampled %}where {{ in_training_sample('customers.customer_id') }}{% endif %}

),

reactions as (

    select
        events.customer_id,
        dates.as_of_date,
        {% for kind, feature in kinds -%}
        {% for days in feature_days(feature) -%}
        count(case when kind = '{{ kind }}' and {{ age }} < {{ days }} then 1 end)
            as {{ feature | replace('{}', days) }},
        {% endfor -%}
        {% endfor -%}
        min(case when kind = 'open' then {{ age }} end) as days_since_open
    from {{ ref('int_email_events') }} as events
    inner join {{ dates }} as dates on events.happened_on <= dates.as_of_date
    where events.kind in ('open', 'click')
        {% if sampled %}and {{ in_training_sample('events.customer_id') }}{% endif %}
    group by events.customer_id, dates.as_of_date

),

engaged as (

    select
        of_customers.customer_id,
        of_customers.as_of_date,
        {% for name in email_features() if name.startswith('emails_') -%}
        case when events_are_known then cast(coalesce(reactions.{{ name }}, 0) as integer) end as {{ name }},
        {% endfor -%}
        cast(reactions.days_since_open as integer) as days_since_last_email_open,
        cast(of_customers.has_opted_out as integer) as has_opted_out
    from of_customers
    left join reactions
        on of_customers.customer_id = reactions.customer_id
        and of_customers.as_of_date = reactions.as_of_date

)
{%- endmacro %}

{# The features that orders alone do not tell: columns of `engaged`. #}
{% macro email_features() -%}
    {%- set names = [] -%}
    {%- for name in churn_model_features() if name.startswith('emails_') -%}{%- do names.append(name) -%}{%- endfor -%}
    {{ return(names + ['days_since_last_email_open', 'has_opted_out']) }}
{%- endmacro %}
