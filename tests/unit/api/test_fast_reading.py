"""Two ways read a body of `/predict`, and no body is read otherwise by one than by the other."""

import json
import math
from datetime import UTC, date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from functions.churn_api.app import create_app
from functions.churn_api.bodies import Unfit
from functions.churn_api.consistency import contradictions, contradicts_itself
from functions.churn_api.customer_features import CustomerFeatures, feature_row
from functions.churn_api.customers import Reading, read, read_columns
from functions.churn_api.fast_path import create_api
from functions.churn_api.fast_reading import read_fast, read_fast_columns
from functions.churn_api.middleware import RequestMiddleware
from tests.running.serving import EXAMPLE, LocalClient, by_columns, customer, service

TODAY = date(2026, 7, 1)
READING = Reading(TODAY, 90, UTC)

# what is right, what is nearly right, and what is not
values = st.one_of(
    st.sampled_from(
        [0, 1, 1.0, 1.5, -0.0, -1, 36_525, 36_526, 1e12, 1e13, 1e300, 10**30, True, None, "1", "x", [], {}]
    ),
    st.sampled_from([math.nan, math.inf, -math.inf]),
    st.floats(0, 500),
    st.integers(0, 400),
)
ids = st.one_of(
    st.text(max_size=4), st.sampled_from(["C1", "", "é" * 200, "x" * 201, "\ud800", "\x00", r"\u0000", None, 5, " "])
)
days = st.sampled_from(
    ["2026-07-01", "2026-06-30", "2026-07-02", "0001-01-01", "2026-13-01", "", None, 5, "2026-06-30T00:00:00"]
)
drawn_features = st.dictionaries(st.sampled_from([*EXAMPLE, "shoe_size"]), values, max_size=3).map(
    lambda changes: EXAMPLE | changes
)
left_out = st.lists(st.sampled_from(list(EXAMPLE)), max_size=2)


@st.composite
def customers(draw):
    features = draw(drawn_features)
    for name in draw(left_out):
        features.pop(name, None)
    made = {"customer_id": draw(ids), "features": features}
    if draw(st.booleans()):
        made["as_of"] = draw(days)
    if draw(st.integers(0, 9)) == 0:
        made["extra"] = 1
    return made


bodies = st.one_of(customers(), st.lists(customers(), max_size=3), st.sampled_from([None, 5, "x", {}, [[]]]))


def written(body, ascii_only):
    return json.dumps(body, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


def assert_same(fast, read_in_full):
    if fast is None:  # left to the full reading
        return
    full = read_in_full()
    assert (list(fast.customer_ids), list(fast.as_of)) == (list(full.customer_ids), list(full.as_of))
    assert np.array_equal(fast.features, full.features, equal_nan=True)


@settings(max_examples=300, deadline=None)
@given(body=bodies, ascii_only=st.booleans())
def test_what_is_read_fast_is_read_the_same_in_full(body, ascii_only):
    text = written(body, ascii_only)
    assert_same(read_fast(text, TODAY), lambda: read(text, READING))


@st.composite
def columns(draw):
    """Customers with the same fields by columns, sometimes with one that is longer, shorter or no list."""
    rows = [one | one.pop("features") for one in draw(st.lists(customers(), min_size=1, max_size=3))]
    made = {name: [row.get(name) for row in rows] for name in rows[0]}
    if draw(st.integers(0, 4)) == 0:
        made[draw(st.sampled_from(list(made)))] = draw(st.sampled_from([[], [1], [1, 2], None, 5, "x", {}]))
    return made


bodies_of_columns = st.one_of(columns(), bodies)


@settings(max_examples=300, deadline=None)
@given(body=bodies_of_columns, ascii_only=st.booleans())
def test_columns_that_are_read_fast_are_read_the_same_in_full(body, ascii_only):
    text = written(body, ascii_only)
    assert_same(read_fast_columns(text, TODAY), lambda: read_columns(text, READING))


plain_ids = ids.filter(lambda i: isinstance(i, str) and 0 < len(i) < 9 and i != "\ud800" and "\x00" not in i)


@given(body=st.lists(st.builds(customer, plain_ids), min_size=1))
def test_what_is_plainly_right_is_read_fast(body):
    assert read_fast(written(body, ascii_only=True), TODAY) is not None


@given(body=st.lists(st.builds(customer, plain_ids), min_size=1), optional=st.none() | st.floats(1, 300))
def test_columns_that_are_plainly_right_are_read_fast(body, optional):
    body = by_columns(body) | {"lines_per_purchase": [optional] * len(body)}
    assert read_fast_columns(written(body, ascii_only=True), TODAY) is not None


@pytest.mark.parametrize("name", list(EXAMPLE))
def test_the_bounds_of_every_feature_are_those_of_the_contract(name):
    for value in (-2, -1, -0.5, 0, 0.5, 1, 2, 36_525, 36_526, 1e12, 1.1e12, None):
        body = customer(**{name: value})
        try:
            row = feature_row(CustomerFeatures.model_validate(body["features"]))
            fits = not contradictions(np.array([row], dtype=np.float64))
        except ValidationError:
            fits = False
        for in_all in (body, [body], [customer(), body]):
            assert (read_fast(written(in_all, ascii_only=True), TODAY) is not None) == fits, value
        for in_all in ([body], [customer(), body]):
            text = written(by_columns(in_all), ascii_only=True)
            assert (read_fast_columns(text, TODAY) is not None) == fits, value


@given(changes=st.dictionaries(st.sampled_from(list(EXAMPLE)), st.floats(0, 500), max_size=4))
def test_one_customer_is_judged_like_many(changes):
    row = tuple(float(value) for value in (EXAMPLE | changes).values())
    assert contradicts_itself(row) == bool(contradictions(np.array([row, row])))


@pytest.fixture(scope="module")
def both(shipped_model):
    """The API as it is, and without its fast way."""
    standing = service()
    slow = RequestMiddleware(create_app(standing), standing.access, lambda: standing.model.version, standing.clock)
    with LocalClient(create_api(standing)) as api, LocalClient(slow) as in_full:
        yield api, in_full


@settings(max_examples=150, deadline=None)
@given(body=bodies)
def test_both_ways_answer_alike(both, body):
    answers = [
        client.post("/predict", content=written(body, ascii_only=True), headers={"content-type": "application/json"})
        for client in both
    ]
    responses = [(a.status_code, a.headers["content-type"], a.headers["content-length"], a.json()) for a in answers]
    assert responses[0] == responses[1]
    assert responses[0][0] in (200, 422)


@settings(max_examples=150, deadline=None)
@given(body=bodies_of_columns)
def test_both_ways_answer_columns_alike(both, body):
    text, headers = written(body, ascii_only=True), {"content-type": "application/json"}
    answers = [client.post("/v1/predict/columns", content=text, headers=headers) for client in both]
    responses = [(a.status_code, a.headers["content-type"], a.content) for a in answers]
    assert responses[0] == responses[1]
    assert responses[0][0] in (200, 422)


@settings(max_examples=150, deadline=None)
@given(body=st.lists(customers(), min_size=1, max_size=3))
def test_columns_are_answered_as_the_list_of_the_same_customers(both, body):
    """Where all have the same fields: a list may leave out of one what another has."""
    fields = body[0].keys() | body[0]["features"].keys()
    body = [one for one in body if one.keys() | one["features"].keys() == fields]
    sent = {"/predict": body, "/predict/columns": by_columns(body)}
    by_list, by_column = (
        both[0].post(path, content=written(content, ascii_only=True), headers={"content-type": "application/json"})
        for path, content in sent.items()
    )
    assert by_list.status_code == by_column.status_code
    if by_list.status_code == 200:
        assert by_list.content == by_column.content


def test_a_date_that_is_in_the_future_is_left_to_be_refused():
    body = customer() | {"as_of": "2026-07-02"}
    text = written(body, ascii_only=True)
    assert read_fast(text, TODAY) is None
    with pytest.raises(Unfit, match="in the future"):
        read(text, READING)
