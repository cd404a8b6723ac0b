import json

import numpy as np
import pyarrow as pa

from flows.campaigns.covariates import COVARIATES, Columns, Known
from flows.campaigns.traits import decode, encode, of_texts

N = 400


def known(n=N, window=30, **more):
    """Customers with the covariates of every shop, and more columns."""
    rng = np.random.default_rng(0)
    columns = {name: rng.uniform(0.1, 0.9, n) for name in COVARIATES}
    return Known.of(pa.table({**columns, "channel": pa.array(["social", "referral"] * (n // 2)), **more}), window)


def traits(**columns):
    return encode(columns, N)


def test_what_is_unknown_is_not_stored_and_stays_unknown():
    stored = encode({"a": [1.5, None, float("nan")], "b": ["x", None, None]}, 3)
    assert [text and json.loads(text) for text in stored.to_pylist()] == [{"a": 1.5, "b": "x"}, None, None]
    numbers, texts = decode(pa.chunked_array([stored]))
    assert numbers["a"][0] == 1.5
    assert np.isnan(numbers["a"][1:]).all()
    assert texts["b"].tolist() == ["x", None, None]


def test_a_column_of_a_file_is_numbers_or_what_groups_of_customers_share():
    assert of_texts(["1", "2,5", None] * 20) == [1.0, 2.5, None] * 20
    assert of_texts(["Urban", "Rural"] * 20 + ["Moon"]) == ["Urban", "Rural"] * 20 + [None]


def test_what_tells_single_persons_apart_is_no_trait():
    """Names, telephone numbers, ids: they would be kept with every target of a campaign, and say nothing of others."""
    assert of_texts([f"Name {n}" for n in range(500)]) is None
    assert of_texts([f"0171{n:07d}" for n in range(500)]) is None
    assert of_texts([None] * 20) is None
    assert of_texts(["yes"] * 5) is None


def test_the_shops_own_traits_become_columns():
    plain = Columns.of(known()).matrix(known())
    with_own = known(
        traits=traits(**{"category.Shoes": [0.5, 0.0] * (N // 2), "contacts.zone": ["Urban", "Rural"] * (N // 2)})
    )
    columns = Columns.of(with_own)
    assert columns.matrix(with_own).shape[1] == plain.shape[1] + 3
    assert ("contacts.zone", "Urban") in columns.values


def test_a_trait_that_some_lack_says_so_in_a_column_of_its_own():
    half = [0.1 * (n % 7) if n % 2 else None for n in range(N)]
    columns = Columns.of(table := known(traits=traits(discounted_share=half)))
    assert columns.unknown == ("discounted_share",)
    flag = columns.matrix(table)[:, len(columns.matrix(table)[0]) - len(columns.values) - 1]
    assert set(np.sign(flag[::2])) == {1.0}
    assert set(np.sign(flag[1::2])) == {-1.0}


def test_each_column_says_of_which_covariate_or_group_it_is():
    half = [0.1 * (n % 7) if n % 2 else None for n in range(N)]
    table = known(traits=traits(discounted_share=half, zone=["Urban", "Rural"] * (N // 2)))
    columns = Columns.of(table)
    before = columns.matrix(table)
    for name in ("churn_probability", "discounted_share", "zone"):
        covariates, groups = (
            {of: values[::-1] if of == name else values for of, values in given.items()}
            for given in (table.covariates, table.groups)
        )
        changes = (columns.matrix(Known(covariates, groups, table.window)) != before).any(axis=0)
        assert changes.tolist() == [source == name for source in columns.sources]


def test_traits_that_hardly_anybody_has_become_no_column():
    rare = [0.3] * 2 + [None] * (N - 2)
    columns = Columns.of(known(traits=traits(rare=rare, same=[1.0] * N, group=["a"] * 2 + ["b"] * (N - 2))))
    assert "rare" not in columns.names
    assert "same" not in columns.names
    assert ("group", "a") not in columns.values


def test_customers_without_the_traits_of_earlier_campaigns_count_as_usual():
    """And their own new traits, of which nothing was learnt, are left out."""
    then = known(traits=traits(old=[0.1 * (n % 5) for n in range(N)]))
    columns = Columns.of(then)
    now = columns.matrix(known(traits=traits(new=[1.0 + n for n in range(N)])))
    assert now.shape == columns.matrix(then).shape
    assert np.isfinite(now).all()


def test_amounts_are_taken_by_their_logarithm_and_shares_as_they_are():
    scales = known(
        traits=traits(emails=[float(n % 50) for n in range(N)], share=[0.01 * (n % 50) for n in range(N)])
    ).scales()
    assert scales["emails"].max() == np.log1p(49)
    assert scales["share"].max() == 0.49
