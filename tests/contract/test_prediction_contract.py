"""What a prediction contains is defined once, in functions/predicted.py and functions/prediction_record.py; everything
else is held to it here, and named where it differs."""

import typing
from datetime import date

import msgspec
import numpy as np
import pytest
import yaml

from flows.settings import REPOSITORY
from functions.churn_api import documents
from functions.churn_api.contract import LIFECYCLES, RiskBand
from functions.churn_api.external_function import Batch, write_batch
from functions.churn_api.predictions import NextOrderDays, NextProduct, NextProducts, PredictionResponse, Reason
from functions.churn_api.scorer import VALUES, Scores
from functions.predicted import NEXT_ORDER_COLUMNS, NEXT_ORDER_FIELDS, PREDICTED, REASONS
from functions.prediction_record import COLUMNS, PredictionRecord, sql_type
from functions.prediction_sink.message_reader import read_message

# what an answer says in lists, and the mart and SQL in columns
NESTED = {"next_order_days", "reasons", "next_products"}
ONLY_IN_ANSWERS = {"as_of", "stored"}


def same(place, has, expected):
    has, expected = list(has), list(expected)
    lacks, other = sorted({*expected} - {*has}), sorted({*has} - {*expected})
    assert has == expected, f"{place} lacks {lacks}, has {other} of its own, or orders them otherwise"


def answer():
    return PredictionResponse(
        customer_id="C1", prediction_id="p", as_of="2026-06-30", churn_probability=0.5, risk_band="medium",
        expected_spend=10.0, alive_probability=0.9, lifecycle="active", clv=40.0, clv_low=0.0, clv_high=90.0,
        expected_loss=4.0, win_back_value=3.0, next_order_days=NextOrderDays(1.0, 20.0, None, 15.0),
        reasons=[Reason("spend", "a", 0.1)] * REASONS, horizon_days=90, clv_days=365, model_version="m", stored=True,
    )  # fmt: skip


def test_the_fields_that_sql_gets_are_those_of_the_record_and_the_days_from_which_it_reckons():
    days = {*NEXT_ORDER_FIELDS.values()}
    lacks = PREDICTED.keys() - days - COLUMNS.keys()
    assert not lacks, f"PredictionRecord in functions/prediction_record.py lacks {sorted(lacks)}"
    assert {name: COLUMNS[name] for name in PREDICTED if name in COLUMNS} == {
        name: PREDICTED[name] for name in PREDICTED if name in COLUMNS
    }
    assert set(NEXT_ORDER_COLUMNS.values()) < COLUMNS.keys()
    assert [name for name in COLUMNS if name.startswith("reason_")] == [f"reason_{n}" for n in range(1, REASONS + 1)]


def test_a_score_has_every_field_that_sql_gets():
    scores = Scores(
        np.zeros((2, 1)),
        365,
        np.zeros(2),
        np.zeros((2, 6)),
        np.zeros(2),
        np.zeros((2, len(NEXT_ORDER_COLUMNS))),
        np.zeros(2),
        np.zeros(2),
        np.zeros((2, len(VALUES))),
    )
    scores.__dict__["reasons"] = [["a", "b"]] * REASONS
    try:
        flat = scores.flat
    except ValueError as error:
        pytest.fail(f"Scores.flat in functions/churn_api/scorer.py yields other values than PREDICTED names: {error}")
    assert {name: len(values) for name, values in flat.items()} == dict.fromkeys(PREDICTED, 2)


@pytest.mark.parametrize(
    ("sent", "documented"),
    [
        (PredictionResponse, documents.Prediction),
        (NextOrderDays, documents.NextOrder),
        (Reason, documents.Reason),
        (NextProducts, documents.NextProducts),
        (NextProduct, documents.NextProduct),
    ],
)
def test_a_response_has_the_fields_that_the_api_documents(sent, documented):
    place = f"{sent.__name__} in functions/churn_api/predictions.py, as functions/churn_api/documents.py has it,"
    same(place, sent.__struct_fields__, documented.model_fields)


def test_a_response_has_what_the_record_has():
    nested = {*NEXT_ORDER_COLUMNS.values(), *(f"reason_{n}" for n in range(1, REASONS + 1))}
    of_the_message = {"as_of_date", "source", "scored_at"}
    flat = {*PredictionResponse.__struct_fields__} - NESTED - ONLY_IN_ANSWERS
    place = "PredictionResponse in functions/churn_api/predictions.py"
    same(place, sorted(flat), sorted(COLUMNS.keys() - nested - of_the_message))
    assert NextOrderDays.__struct_fields__ == tuple(NEXT_ORDER_COLUMNS)


def test_a_response_of_the_external_function_has_the_fields_that_sql_gets_and_no_others():
    ((_, value),) = msgspec.json.decode(write_batch(Batch([0], {}, None), [answer()]))["data"]
    of_answers = {*PredictionResponse.__struct_fields__} - NESTED - {"as_of"}
    place = "write_batch in functions/churn_api/external_function.py"
    same(place, sorted(value), sorted(PREDICTED.keys() | of_answers | {"error"}))
    same("ExternalPrediction in functions/churn_api/documents.py", documents.ExternalPrediction.model_fields, value)
    types = {name: sql_type(documents.ExternalPrediction.model_fields[name].annotation) for name in PREDICTED}
    assert types == PREDICTED


def test_a_message_becomes_a_row_with_a_value_in_every_column():
    body = msgspec.json.encode({"source": "api", "scored_at": "2026-07-01T00:00:00", "answers": [answer()]})
    (row,), problems = read_message(body)
    assert problems == []
    empty = {name for name in COLUMNS if getattr(row, name) is None}
    assert empty == {"next_order_latest_on"}
    assert (row.next_order_on, row.reason_3) == (date(2026, 7, 20), "a")


@pytest.mark.parametrize("model", ["marketing_customers", "campaign_targets"])
def test_a_mart_that_repeats_a_column_of_predictions_has_it_with_the_same_type(model):
    (columns,) = [
        {column["name"]: column["data_type"] for column in found["columns"]}
        for file in (REPOSITORY / "dbt_project" / "models").rglob("*.yml")
        for found in yaml.safe_load(file.read_text(encoding="utf-8")).get("models", ())
        if found["name"] == model
    ]
    shared = columns.keys() & COLUMNS.keys()
    assert {"churn_probability", "risk_band", "expected_spend"} <= shared
    assert {name: columns[name] for name in shared} == {name: COLUMNS[name] for name in shared}


def test_the_record_has_the_stages_of_the_lifecycle_that_the_contract_names():
    in_record, _ = typing.get_args(PredictionRecord.model_fields["lifecycle"].annotation)
    assert typing.get_args(in_record) == LIFECYCLES


def test_the_record_has_the_bands_of_risk_that_the_contract_parts():
    in_record = PredictionRecord.model_fields["risk_band"].annotation
    assert set(typing.get_args(in_record)) == set(typing.get_args(RiskBand))
