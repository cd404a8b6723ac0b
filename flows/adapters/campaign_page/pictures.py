"""Bars of the page, in parts of a picture that is 1,000 wide."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import isfinite

from flows.adapters.campaign_page.desk import Preview

WIDTH = 1_000


@dataclass(frozen=True)
class Part:
    """From `x`, so `width`, drawn as its kind."""

    kind: str
    x: float
    width: float


@dataclass(frozen=True)
class Timeline:
    """The days that a calendar shows."""

    first: date
    last: date
    today: date

    @classmethod
    def of(cls, windows: Sequence[tuple[date, date]], today: date) -> "Timeline":
        """All windows and the day of the last run, with a week around them."""
        around = timedelta(days=7)
        days = [today, *(day for window in windows for day in window)]
        return cls(min(days) - around, max(days) + around, today)

    def place(self, day: date) -> float:
        """Where a day is."""
        return round(WIDTH * (day - self.first).days / (self.last - self.first).days, 1)

    def bar(self, first: date, last: date, kind: str) -> list[Part]:
        """A window, and the line of today."""
        start, end = self.place(first), self.place(last)
        return [Part(kind, start, max(end - start, 4.0)), Part("today", self.place(self.today), 3.0)]


def stacked(counts: Sequence[tuple[str, float]], whole: float) -> list[Part]:
    """Counts by kind, one after the other, of a whole."""
    parts, x = [], 0.0
    for kind, count in counts:
        width = WIDTH * count / whole if whole else 0.0
        parts.append(Part(kind, round(x, 1), round(width, 1)))
        x += width
    return parts


def segments(preview: Preview) -> list[tuple[str, int, int, list[Part]]]:
    """Segment, to contact, control group and their bar, the largest segments first."""
    rows = sorted(preview.by_segment, key=lambda row: -(row[1] + row[2]))
    most = max((treated + held_out for _, treated, held_out in rows), default=0)
    return [
        (name, treated, held_out, stacked([("treated", treated), ("control", held_out)], most))
        for name, treated, held_out in rows
    ]


def on_one_scale(values: Sequence[float]) -> list[list[Part]]:
    """A bar for each value; none where it is infinite."""
    most = max((value for value in values if isfinite(value)), default=0.0)
    return [stacked([("value", value)], most) if isfinite(value) else [] for value in values]
