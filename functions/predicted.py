"""The model's prediction for a customer, flat, as SQL gets it: from DuckDB's function, from the UDF inside Snowflake
and from the API as external function."""

REASONS = 3
# the mart's column for the day by which the next order comes, with a chance in percent, or for half of those who order
# within the horizon; by its name in the API's answer
NEXT_ORDER_COLUMNS = {
    "chance_10": "next_order_earliest_on",
    "chance_50": "next_order_on",
    "chance_90": "next_order_latest_on",
    "if_back": "next_order_if_back_on",
}
NEXT_ORDER_FIELDS = {name: f"next_order_days_{name.removeprefix('chance_')}" for name in NEXT_ORDER_COLUMNS}

PREDICTED: dict[str, str] = {
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
    **dict.fromkeys(NEXT_ORDER_FIELDS.values(), "double"),
    **{f"reason_{rank}": "varchar" for rank in range(1, REASONS + 1)},
}
