"""What the API has done since it started, counted so that a request pays next to nothing for it."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
PROBABILITIES = tuple(tenth / 10 for tenth in range(1, 11))


@dataclass
class Histogram:
    """Values by the first of `bounds` that they do not exceed; the last count is of those beyond all."""

    bounds: Sequence[float]
    total: float = 0.0
    counts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        """Counts a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def add_all(self, values: Sequence[float]) -> None:
        """Counts values; many at once are counted together."""
        if len(values) < 20:
            for value in values:
                self.add(value)
            return
        places = np.searchsorted(self.bounds, values)
        found = np.bincount(places, minlength=len(self.counts)).tolist()
        self.counts = [before + more for before, more in zip(self.counts, found, strict=True)]
        self.total += sum(values)


@dataclass
class Counts:
    """`requests`: by route, method and status; `seconds`: by route."""

    requests: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    seconds: dict[str, Histogram] = field(default_factory=dict)
    churn_probability: Histogram = field(default_factory=lambda: Histogram(PROBABILITIES))
    not_stored: int = 0
    refused_rows: int = 0

    def note(self, route: str, method: str, status: int, seconds: float) -> None:
        """Counts a request that was answered."""
        self.requests[route, method, status] += 1
        histogram = self.seconds.get(route)
        if histogram is None:
            histogram = self.seconds[route] = Histogram(SECONDS)
        histogram.add(seconds)

    def note_predictions(self, probabilities: Sequence[float], not_stored: int, refused_rows: int) -> None:
        """Counts what was predicted in a request."""
        self.churn_probability.add_all(probabilities)
        self.not_stored += not_stored
        self.refused_rows += refused_rows
