{# Generated from functions/ by `make generate`. Change it there. #}

{# The features of the contract, in its order. #}
{% macro churn_model_features() -%}
{{ return([
    "recency_days",
    "frequency",
    "monetary",
    "tenure_days",
    "average_order_value",
    "spend_last_90_days",
    "spend_last_365_days",
    "returned_share",
    "purchases_last_30_days",
    "purchases_last_60_days",
    "purchases_last_90_days",
    "purchases_last_180_days",
    "purchases_last_365_days",
    "decayed_purchases_15_days",
    "decayed_purchases_45_days",
    "decayed_purchases_120_days",
    "days_since_2nd_last_purchase",
    "days_since_3rd_last_purchase",
    "days_since_5th_last_purchase",
    "active_weeks_share",
    "mean_gap_days",
    "median_gap_days",
    "max_gap_days",
    "shrunk_gap_days",
    "days_per_purchase",
    "recency_to_mean_gap",
    "recency_to_median_gap",
    "recency_to_max_gap",
    "recency_to_shrunk_gap",
    "recency_to_days_per_purchase",
    "trend_90_days",
    "trend_180_days",
    "gap_variation",
    "silence_in_gap_spreads",
    "purchases_same_weeks_a_year",
    "lines_per_purchase",
    "emails_opened_last_90_days",
    "emails_clicked_last_90_days",
    "days_since_last_email_open",
    "has_opted_out"
]) }}
{%- endmacro %}

{# What predict_churn yields, with types. #}
{% macro predicted_fields() -%}
{{ return({
    "churn_probability": "double",
    "expected_spend": "double",
    "alive_probability": "double",
    "lifecycle": "varchar",
    "clv": "double",
    "clv_low": "double",
    "clv_high": "double",
    "expected_loss": "double",
    "win_back_value": "double",
    "clv_days": "integer",
    "next_order_days_10": "double",
    "next_order_days_50": "double",
    "next_order_days_90": "double",
    "next_order_days_if_back": "double",
    "reason_1": "varchar",
    "reason_2": "varchar",
    "reason_3": "varchar"
}) }}
{%- endmacro %}

{# Of which of these fields a day of marts.churn_predictions is. #}
{% macro next_order_fields() -%}
{{ return({
    "next_order_earliest_on": "next_order_days_10",
    "next_order_on": "next_order_days_50",
    "next_order_latest_on": "next_order_days_90",
    "next_order_if_back_on": "next_order_days_if_back"
}) }}
{%- endmacro %}
