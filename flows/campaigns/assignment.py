"""Random assignment to the treated and the control group, which is the same each time it is computed.

A draw is a salted hash of the customer's id, so it can be checked years later and does not depend on the other
customers. Arms are drawn within strata, so that both arms are alike in segment and risk from the start."""

import hashlib
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Floats = NDArray[np.float64]

GLOBAL_HOLDOUT_SALT = "global holdout"


def draws(salt: str, names: Iterable[str]) -> Floats:
    """A number in [0, 1) for each name, evenly spread and independent between salts."""
    key = hashlib.blake2b(salt.encode(), digest_size=32).digest()
    digests = b"".join(hashlib.blake2b(name.encode(), digest_size=8, key=key).digest() for name in names)
    return np.asarray((np.frombuffer(digests, dtype=">u8") >> np.uint64(11)) * 2.0**-53, dtype=np.float64)


def strata_of(customers: pa.Table) -> NDArray[np.object_]:
    """Segment and risk band of each customer."""
    risk = pc.fill_null(customers["risk_band"], "not scored")
    return np.asarray(pc.binary_join_element_wise(customers["segment"], risk, ", ").to_numpy(), dtype=object)


def rank_within(strata: NDArray[np.object_], draw: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rank (from 0) of each customer by draw within the stratum, and the size of the stratum."""
    _, stratum = np.unique(strata.astype(str), return_inverse=True)
    sizes = np.bincount(stratum)
    by_draw = np.lexsort((draw, stratum))
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    place = np.empty(len(draw), dtype=np.int64)
    place[by_draw] = np.arange(len(draw)) - starts
    return place, sizes[stratum]


def in_holdout(
    strata: NDArray[np.object_], customer_ids: NDArray[np.object_], salt: str, share: float
) -> NDArray[np.bool_]:
    """Which customers are in the control group: `share` of each stratum, rounded up or down by chance so that it is
    right on average."""
    place, size = rank_within(strata, draws(salt, customer_ids))
    names, stratum = np.unique(strata.astype(str), return_inverse=True)
    rounding = draws(f"{salt}, rounding", names)[stratum]
    return np.asarray(place < np.floor(size * share + rounding))


def in_global_holdout(customer_ids: Iterable[str], share: float) -> NDArray[np.bool_]:
    """Which customers are never contacted by any campaign. A larger share includes everyone of a smaller one."""
    return draws(GLOBAL_HOLDOUT_SALT, customer_ids) < share
