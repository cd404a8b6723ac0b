"""The fingerprint of a training: the same code on the same snapshots gives the same model."""

import hashlib
from functools import cache
from pathlib import Path

import numpy as np
import sklearn

from flows.churn.training_set import TrainingSet
from functions.churn_api.contract import CONTRACT_FINGERPRINT


def training_fingerprint(snapshots: TrainingSet) -> str:
    """A fingerprint of the code and of every row that is trained on."""
    digest = hashlib.sha256(_recipe())
    digest.update(repr((snapshots.horizon_days, snapshots.clv_days, sorted(snapshots.population.items()))).encode())
    for texts in (snapshots.customer_ids, snapshots.segments):
        digest.update("\0".join(texts.tolist()).encode())
    of_rows = (
        snapshots.dates, snapshots.features, snapshots.churned, snapshots.spend, snapshots.days_to_next_purchase,
        snapshots.spend_in_clv_window,
    )  # fmt: skip
    for numbers in of_rows:
        digest.update(np.ascontiguousarray(numbers).view(np.uint8).data)
    return digest.hexdigest()[:16]


@cache
def _recipe() -> bytes:
    """A digest of the training code and the library's version."""
    digest = hashlib.sha256(f"{sklearn.__version__} {CONTRACT_FINGERPRINT}".encode())
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.digest()
