"""What each worksheet is meant to ask, in plain SQL on the marts, written from what its title promises and not from the
workbook.

{customers} and its like stand for the marts, so that a test can run the same query on a part of them. Where there are
no rows, Tableau draws no mark, not a mark of 0: hence `having`."""

MARTS = {
    "customers": "marts.marketing_customers",
    "definitions": "marts.segment_definitions",
    "retention": "marts.cohort_retention",
    "reliability": "marts.model_reliability",
    "monitoring": "marts.model_monitoring",
    "campaigns": "marts.campaign_results",
    "affinities": "marts.segment_affinities",
}

ANY = "having count(*) > 0"
CURRENCY = "coalesce(max(currency), 'currency unknown') as c_currency"
COUNTRY = "coalesce(country, 'unknown') as c_country"
CHANNEL = "coalesce(channel, 'unknown') as c_channel"
BAND = "coalesce(risk_band, 'not scored') as c_risk_band"
LIFECYCLE = "coalesce(lifecycle, 'not scored') as c_lifecycle"
QUEUE = "case queue when 'win_back' then 'win back' else coalesce(queue, 'none') end as c_queue"
NEXT_ORDER = """coalesce(cast(next_order_on as varchar),
    'if they come back: ' || cast(next_order_if_back_on as varchar), 'none expected soon') as c_next_order"""
CLV_DAYS = "coalesce(cast(max(clv_days) as varchar), 'an unknown number of') as c_clv_days"
DAYS_OF_CLV = "coalesce(cast(clv_days as varchar), 'an unknown number of') as c_clv_days"

# keep and 100 are what the parameters say in the file.
IN_QUEUE = "select * from {customers} where may_be_contacted and queue = 'keep'"
LISTED = f"""select * from ({IN_QUEUE})
    order by queue_value desc nulls last, monetary desc, customer_id limit 100"""

CURRENT_EVIDENCE = """select *, case evidence when 'held_out' then 'held out of training'
        else 'predictions since come due' end as c_evidence
    from {reliability} where evidence = 'realised'
        or measured_at = (select max(measured_at) from {reliability} where evidence = 'held_out')"""
DECILES = """select c_evidence, tenth,
    sum(customers) as customers,
    sum(mean_probability * customers) / sum(customers) as c_mean_probability,
    sum(churn_rate * customers) / sum(customers) as c_churn_rate,
    sqrt(sum((standard_error * customers) ** 2)) / sum(customers) as c_standard_error"""

MEASURE = """case measure when 'score_drift' then 'Drift of the score (PSI)' when 'auc' then 'Sorting (AUC)'
    when 'brier' then 'Error (Brier)' when 'ece' then 'Calibration error'
    when 'expected_to_actual_spend' then 'Expected to actual spend' end as c_measure"""
STATUS = "case when is_warning then 'beyond its limit' else 'within its limit' end as c_status"
NEWEST = """select monitoring.* from {monitoring} as monitoring
    inner join (select measure, max(measured_at) as measured_at from {monitoring} group by measure) as newest
        using (measure, measured_at)"""

VERDICT = """case when is_sample_ratio_off then 'arms not as drawn: do not trust'
    when lift_low > 0 then 'more purchases' when lift_high < 0 then 'fewer purchases'
    else 'no difference shown' end as c_verdict"""
LIFT = f"lift_low, lift, lift_high, lift_high - lift_low as c_interval_width, treated, held_out, {VERDICT}"

SHOWN = "from {affinities} where coalesce(is_clear, true) and measure"
LEFT, BACK, DISCOUNT = "'last_bought_by_leavers'", "'brings_back'", "'bought_at_a_discount'"

QUESTIONS = {
    "As of": f"""select coalesce(cast(max(as_of_date) as varchar), 'no date') as c_as_of,
        coalesce(cast(cast(max(scored_at) as date) as varchar), 'not scored') as c_scored_on,
        coalesce(max(model_version), 'no model') as c_model_version, {CURRENCY} from {{customers}} {ANY}""",
    "Customers": f"select count(*) as c_customers from {{customers}} {ANY}",
    "Active customers": f"""select count(*) filter (recency_days < 365) as c_active_customers,
        count(*) filter (recency_days < 365) / count(*) as c_active_share from {{customers}} {ANY}""",
    "Revenue of the last period": f"""select sum(spend_last_period) as spend_last_period, {CURRENCY}
        from {{customers}} {ANY}""",
    "Expected loss": f"""select sum(expected_loss) as expected_loss, {CURRENCY}, {CLV_DAYS}
        from {{customers}} {ANY}""",
    "Expected spend": f"""select sum(expected_spend) as expected_spend, {CURRENCY},
        sum(expected_spend) / sum(spend_last_period) filter (expected_spend is not null) - 1 as c_period_change
        from {{customers}} {ANY}""",
    "Segments": f"""select segment, count(*) as c_customers, sum(spend_last_365_days) as spend_last_365_days,
        sum(expected_loss) as expected_loss, sum(clv) as clv, {CLV_DAYS},
        avg(churn_probability) as c_average_probability, {CURRENCY} from {{customers}} group by segment""",
    "Segment definitions": """select segment, definition, meaning,
        coalesce(cast(max(borders_as_of_date) as varchar), 'no date') as c_borders_as_of,
        coalesce(cast(max(review_due_on) as varchar), 'no date') as c_review_due
        from {definitions} group by all""",
    "Lifecycle": f"""select {LIFECYCLE}, count(*) as c_customers, sum(clv) as clv, sum(expected_loss) as expected_loss,
        sum(win_back_value) as win_back_value, {CLV_DAYS}, {CURRENCY} from {{customers}} group by c_lifecycle""",
    "RFM grid": f"""select r_score, f_score, count(*) as c_customers, avg(churn_probability) as c_average_probability,
        sum(spend_last_365_days) as spend_last_365_days, {CURRENCY} from {{customers}} group by r_score, f_score""",
    "Churn distribution": f"""select least(floor(churn_probability * 20), 19) / 20 as c_churn_band, {BAND},
        count(*) as c_customers, sum(expected_loss) as expected_loss, {CURRENCY}
        from {{customers}} where churn_probability is not null group by all""",
    "Cohort retention": """select cohort_quarter, quarters_since, sum(customers) as customers,
        sum(active_customers) as active_customers, sum(active_customers) / sum(customers) as c_retention
        from {retention} group by all""",
    "Movement between segments": f"""select segment,
        coalesce(previous_segment, 'none: new since') as c_previous_segment,
        count(*) as c_customers, sum(expected_loss) as expected_loss, {CURRENCY}
        from {{customers}} where previous_segment is distinct from segment group by all""",
    "Rules and model": f"""select segment, {BAND}, count(*) as c_customers, sum(expected_loss) as expected_loss,
        avg(churn_probability) as c_average_probability, {CURRENCY} from {{customers}} group by all""",
    "Countries": f"""select {COUNTRY}, {BAND}, count(*) as c_customers,
        sum(expected_loss) as expected_loss, {CURRENCY} from {{customers}} group by all""",
    "Channels": f"""select {CHANNEL}, {BAND}, count(*) as c_customers, sum(expected_loss) as expected_loss, {CURRENCY}
        from {{customers}} group by all""",
    "Queues": f"""select {QUEUE}, count(*) as c_customers, sum(queue_value) as queue_value, {CURRENCY}
        from {{customers}} where may_be_contacted and queue is not null group by c_queue""",
    "List in figures": f"""select count(*) as c_customers, sum(queue_value) as queue_value,
        sum(expected_spend) as expected_spend, {CURRENCY} from ({LISTED}) {ANY}""",
    "Queue by segment": f"""select segment, count(*) as c_customers, sum(queue_value) as queue_value, {CURRENCY}
        from ({IN_QUEUE}) group by segment""",
    "Customers to contact": f"""select customer_id, segment, {COUNTRY}, {BAND}, {LIFECYCLE}, {QUEUE}, why as c_why,
        queue_value, win_back_value, clv, clv_low, clv_high, {DAYS_OF_CLV}, coalesce(reason_1, '–') as c_reason_1,
        coalesce(reason_2, '–') as c_reason_2, coalesce(reason_3, '–') as c_reason_3, recommended_action,
        {NEXT_ORDER},
        coalesce(email, 'no address known') as c_email, expected_loss, churn_probability, expected_spend,
        recency_days, coalesce(currency, 'currency unknown') as c_currency,
        'https://crm.example.com/customers/' || replace(url_encode(customer_id), '%40', '@') as c_crm_link
        from ({LISTED})""",
    "Customer in detail": f"""select customer_id, segment,
        coalesce(previous_segment, 'none: new since') as c_previous_segment, {COUNTRY}, {CHANNEL}, {BAND},
        {LIFECYCLE}, alive_probability, {QUEUE}, coalesce(why, 'in no queue') as c_why, win_back_value, clv, clv_low,
        clv_high, {DAYS_OF_CLV}, coalesce(reason_1, '–') as c_reason_1, coalesce(reason_2, '–') as c_reason_2,
        coalesce(reason_3, '–') as c_reason_3, recommended_action,
        {NEXT_ORDER},
        coalesce(email, 'no address known') as c_email, expected_loss, churn_probability, expected_spend, frequency,
        monetary, recency_days, first_purchased_on, coalesce(currency, 'currency unknown') as c_currency
        from {{customers}} where may_be_contacted and customer_id = ''""",
    "Campaigns in figures": f"""select count(*) as c_campaigns, sum(cost) as cost, sum(profit) as profit
        from {{campaigns}} where segment = 'all' {ANY}""",
    "Treated and control group": """select launched_on, campaign, treated_rate, held_out_rate, treated, held_out,
        window_ends_on from {campaigns} where segment = 'all'""",
    "Lift of campaigns": f"select campaign, {LIFT} from {{campaigns}} where segment = 'all'",
    "Lift by segment": f"select campaign, segment, {LIFT} from {{campaigns}} where segment <> 'all'",
    "Cost and profit": """select campaign, segment, treated, held_out, margin_per_treated, cost, profit,
        profit_low, profit_high from {campaigns}""",
    "Predicted and observed": f"""select *, c_mean_probability as c_perfect
        from ({DECILES} from ({CURRENT_EVIDENCE}) group by c_evidence, tenth)""",
    "Deciles in figures": f"{DECILES} from ({CURRENT_EVIDENCE}) group by c_evidence, tenth",
    "Warnings": f"""select count(*) filter (is_warning) as c_warnings, count(*) as c_figures,
        coalesce(cast(cast(max(measured_at) as date) as varchar), 'never') as c_measured_on,
        coalesce(max(horizon_days) || ' days', 'unknown') as c_horizon from ({NEWEST}) {ANY}""",
    "Measures and limits": f"""select {MEASURE}, as_of_date, {STATUS}, model_version,
        case measure when 'auc' then 'a minimum' when 'expected_to_actual_spend' then 'a maximum, 0.8 the minimum'
            else 'a maximum' end as c_limit_is,
        value, limit_value, customers from ({NEWEST}) where measure <> 'feature_drift'""",
    "Drift of features": f"""select feature, {STATUS}, value, limit_value
        from ({NEWEST}) where measure = 'feature_drift'""",
    "Measures over time": f"""select {MEASURE}, as_of_date, avg(value) as value, avg(limit_value) as limit_value
        from {{monitoring}} where measure <> 'feature_drift' group by all""",
    "Last bought by those gone": f"select name, customers, share as c_of_leavers, share_of_shop {SHOWN} = {LEFT}",
    "First bought by those back": f"select name, customers, share as c_ordered_again, share_of_shop {SHOWN} = {BACK}",
    "Bought at a discount": f"""select name as c_segment, customers, share as c_of_spend, share_of_shop
        {SHOWN} = {DISCOUNT}""",
}

# Of the worksheets that sort by a measure: the members in their order.
ORDERS = {
    "Segments": "select segment from {customers} group by 1 order by sum(spend_last_365_days) desc, segment",
    "Countries": f"select {COUNTRY} from {{customers}} group by 1 order by count(*) desc, c_country",
    "Channels": f"select {CHANNEL} from {{customers}} group by 1 order by count(*) desc, c_channel",
    "Segment definitions": "select segment from {definitions} order by position",
    "Queue by segment": f"select segment from ({IN_QUEUE}) group by 1 order by sum(queue_value) desc, segment",
    "Customers to contact": f"select customer_id from ({LISTED})",
    "Drift of features": f"select feature from ({NEWEST}) where measure = 'feature_drift' order by value desc, feature",
    "Last bought by those gone": f"select name {SHOWN} = {LEFT} order by position",
    "First bought by those back": f"select name {SHOWN} = {BACK} order by position",
    "Bought at a discount": f"select name as c_segment {SHOWN} = {DISCOUNT} order by position",
}
