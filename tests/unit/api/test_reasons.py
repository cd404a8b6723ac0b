import numpy as np
import pytest

from functions.churn_api.contract import CAUSE_NAMES, FEATURE_NAMES
from functions.churn_api.reasons import describe_reasons, strongest_causes


def customer(**values):
    row = np.full((1, len(FEATURE_NAMES)), np.nan)
    for name, value in values.items():
        row[0, FEATURE_NAMES.index(name)] = value
    return row


def words(cause, raises, **values):
    contributions = np.zeros((1, len(CAUSE_NAMES)))
    contributions[0, CAUSE_NAMES.index(cause)] = 1 if raises else -1
    return describe_reasons(customer(**values), contributions, strongest_causes(contributions)[:, :1])[0][0]


@pytest.mark.parametrize(
    ("cause", "raises", "values", "text"),
    [
        ("recency", True, {"recency_days": 95, "frequency": 5, "median_gap_days": 30},
         "higher risk: last order 95 days ago; usually every 30 days"),
        ("recency", False, {"recency_days": 1, "frequency": 2, "median_gap_days": 1},
         "lower risk: last order 1 day ago; usually every day"),
        ("recency", True, {"recency_days": 400, "frequency": 1}, "higher risk: only order 400 days ago"),
        ("recency", False, {"recency_days": 0, "frequency": 3}, "lower risk: last order today"),
        ("frequency", True, {"frequency": 1, "tenure_days": 9}, "higher risk: one order so far"),
        ("frequency", False, {"frequency": 12, "tenure_days": 400}, "lower risk: 12 orders in 400 days"),
        ("spend", False, {"monetary": 1234.5, "average_order_value": 82.4},
         "lower risk: spent 1,234 so far, 82 an order"),
        ("activity", True, {"purchases_last_180_days": 1, "purchases_last_365_days": 4},
         "higher risk: 1 order in the last 180 days, 4 in the last 365"),
        ("returns", True, {"returned_share": 0.4}, "higher risk: 40% of what was bought was sent back"),
        ("returns", False, {"returned_share": 0.0}, "lower risk: hardly anything sent back"),
        ("engagement", False, {"emails_opened_last_90_days": 3, "emails_clicked_last_90_days": 1, "has_opted_out": 0},
         "lower risk: opened e-mails 3 times in the last 90 days, clicked 1"),
        ("engagement", True, {"emails_opened_last_90_days": 0}, "higher risk: opened no e-mail in the last 90 days"),
        ("engagement", True, {"emails_opened_last_90_days": 1, "has_opted_out": 1},
         "higher risk: wants no more e-mails"),
        ("engagement", True, {}, "higher risk: nothing is known of e-mails"),
    ],
)  # fmt: skip
def test_a_reason_is_in_words_with_the_customers_own_figures(cause, raises, values, text):
    assert words(cause, raises, **values) == text


def test_the_strongest_cause_comes_first_whichever_way_it_pulls():
    contributions = np.array([[0.1, -2.0, 0.5, 0.0, 1.0, 0.0]])
    assert [CAUSE_NAMES[i] for i in strongest_causes(contributions)[0]] == ["frequency", "returns", "spend"]
