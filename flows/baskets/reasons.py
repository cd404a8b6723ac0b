"""Why a product is shown, in words with the customer's own figures."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flows.baskets.methods import Method, Ranked, Shop
from flows.baskets.purchases import Flags, Ints

ALIKE_TEXT = "customers with a similar history buy it"


def describe(shop: Shop, method: Method, ranked: Ranked, horizon_days: int, called: pa.Array) -> pa.Array:
    """A reason for each ranked product: their own habit where that is the largest part of the score, else the product
    of theirs that it goes with, else who buys alike, else how popular it is. called: what people call each product."""
    is_own = (ranked.own > 0) & (ranked.own >= ranked.co_purchase + ranked.alike)
    others = ~is_own & (ranked.co_purchase + ranked.alike > 0)
    goes_with = np.full(len(ranked.product), -1)
    goes_with[others] = _goes_with(shop, method, ranked.customer[others], ranked.product[others])
    texts = pc.if_else(pa.array(others), ALIKE_TEXT, _popular(shop, ranked.product, horizon_days))
    named = pc.binary_join_element_wise(
        "others who bought", called.take(pa.array(np.maximum(goes_with, 0))), "buy it too", " "
    )
    texts = pc.if_else(pa.array(goes_with >= 0), named, texts)
    return pc.if_else(pa.array(is_own), _own(shop, ranked, is_own), texts)


def _own(shop: Shop, ranked: Ranked, is_own: Flags) -> pa.Array:
    """As "bought every 5 weeks, last 6 weeks ago"; arbitrary where it is not their own."""
    pairs, width = shop.pairs, max(len(shop.purchases.products), 1)
    wanted = ranked.customer * width + ranked.product
    place = np.minimum(np.searchsorted(pairs.customer * width + pairs.product, wanted), max(len(pairs.customer) - 1, 0))
    place = np.where(is_own, place, 0)
    times, silent = pairs.bought_times[place], shop.as_of - pairs.last_day[place]
    gap = np.rint((pairs.last_day[place] - pairs.first_day[place]) / np.maximum(times - 1, 1)).astype(np.int64)
    every, last = _span(gap, of_every=True), _span(silent)
    again = pc.binary_join_element_wise("bought every ", every, ", last ", last, " ago", "")
    once = pc.binary_join_element_wise("bought once, ", last, " ago", "")
    twice = pc.binary_join_element_wise("bought twice, last ", last, " ago", "")
    return pc.if_else(pa.array(times > 2), again, pc.if_else(pa.array(times > 1), twice, once))


def _popular(shop: Shop, product: Ints, horizon_days: int) -> pa.Array:
    lately = np.unique(shop.pairs.customer[shop.pairs.last_day > shop.as_of - horizon_days])
    share = np.maximum(np.rint(100 * shop.habits.popularity / max(len(lately), 1)), 1).astype(np.int64)
    texts = [f"popular: bought by {percent} % of those who bought in {horizon_days} days" for percent in range(101)]
    return pa.array(texts).take(pa.array(np.minimum(share, 100)[product]))


def _span(days: Ints, *, of_every: bool = False) -> pa.Array:
    """Days in the unit that people would use: "12 days", "5 weeks", "4 months"."""
    distinct, place = np.unique(days, return_inverse=True)
    return pa.array([_words(int(n), of_every) for n in distinct], pa.string()).take(pa.array(place))


def _words(days: int, of_every: bool) -> str:
    unit, length = ("day", 1.0) if days < 14 else ("week", 7.0) if days < 70 else ("month", 30.4)
    count = round(days / length)
    if count == 1:
        return unit if of_every else f"1 {unit}"
    return f"{count} {unit}s"


def _goes_with(shop: Shop, method: Method, customer: Ints, product: Ints) -> Ints:
    """Their own product by which the other was found; -1: none."""
    own, near, width = shop.own(method), shop.neighbours, len(shop.purchases.products)
    lengths = own.indptr[customer + 1] - own.indptr[customer]
    of = np.repeat(np.arange(len(customer)), lengths)
    entry = np.arange(len(of)) - np.repeat(np.cumsum(lengths) - lengths, lengths) + own.indptr[customer][of]
    theirs = own.indices[entry].astype(np.int64)
    keys = np.repeat(np.arange(width), np.diff(near.indptr)) * width + near.indices
    if not len(keys) or not len(of):
        return np.full(len(customer), -1)
    wanted = theirs * width + product[of]
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    nearness = np.where(keys[place] == wanted, near.data[place] * own.data[entry], 0.0)
    order = np.lexsort((theirs, -nearness, of))
    first = order[np.r_[True, of[order][1:] != of[order][:-1]]]
    found = np.full(len(customer), -1)
    found[of[first]] = np.where(nearness[first] > 0, theirs[first], -1)
    return found
