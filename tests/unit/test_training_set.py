"""Which snapshots the model learns from: those whose label is known, of customers whom no campaign had contacted."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from flows.adapters.duckdb_warehouse import DuckDBWarehouse
from flows.settings import Settings
from flows.training import read_snapshots
from functions.churn_api.contract import FEATURE_NAMES
from tests.unit.snapshots import made_up_snapshots

NEW_YEAR, MARCH = date(2025, 1, 1), date(2025, 3, 1)


@pytest.mark.parametrize(
    ("day", "known"),
    [(date(2025, 4, 29), [NEW_YEAR]), (date(2025, 4, 30), [NEW_YEAR, MARCH]), (date(2025, 5, 1), [NEW_YEAR, MARCH])],
)
def test_a_label_is_known_at_the_end_of_the_last_day_of_its_horizon(day, known):
    assert made_up_snapshots([NEW_YEAR, MARCH], 5, horizon_days=60).known_by(day).snapshot_dates == known


def test_what_a_customer_does_after_a_message_teaches_nothing(tmp_path):
    contacts = {
        "on the last day of the horizon": ("2025-04-30", "2025-05-30"),
        "after it": ("2025-05-01", "2025-05-31"),
        "before it, with a day left to answer": ("2025-02-01", "2025-03-02"),
        "before it, with no day left": ("2025-01-30", "2025-03-01"),
        "never": None,
    }
    whole = Settings(data_dir=tmp_path)
    snapshots = pa.table(
        {
            "customer_id": [*contacts],
            "as_of_date": [MARCH] * len(contacts),
            "segment": ["Lost"] * len(contacts),
            "churned": [True] * len(contacts),
            "spend_in_horizon": np.zeros(len(contacts)),
            "days_to_next_purchase": pa.nulls(len(contacts), pa.int32()),
            **{name: np.ones(len(contacts)) for name in FEATURE_NAMES},
        }
    )
    with DuckDBWarehouse(whole.warehouse_file, whole.scratch).connect() as con:
        con.register("snapshots", snapshots)
        con.execute("create schema intermediate")
        con.execute("create table intermediate.int_training_snapshots as from snapshots")
        con.execute("create table intermediate.int_contacts (customer_id text, contacted_on date, answers_until date)")
        rows = [(customer, *days) for customer, days in contacts.items() if days]
        con.executemany("insert into intermediate.int_contacts values (?, ?, ?)", rows)
    learnt_from = read_snapshots.fn(whole, 60)
    assert learnt_from.customer_ids.tolist() == ["after it", "before it, with no day left", "never"]
