"""The borders of segments that a shop keeps, as a run finds them in marts.segment_definitions."""

from dataclasses import dataclass
from datetime import date

from flows.ports.warehouse import Warehouse


@dataclass(frozen=True)
class SegmentBorders:
    """Where scores begin, in days, orders and money. Orders and money are those of the last `window_days`.
    `decided_as_of`: the date from whose customers they are. `is_provisional`: from less history than a window."""

    window_days: int
    decided_as_of: date
    review_due_on: date
    is_provisional: bool

    def describe(self, as_of: date) -> str:
        """How old the borders are at the as-of date, and when they are reviewed."""
        if self.is_provisional:
            return (
                f"the borders of the segments are provisional: the shop's history is shorter than {self.window_days}"
                " days, so the next run decides them again"
            )
        age = f"the borders of the segments are {_months(self.decided_as_of, as_of)} old (of {self.decided_as_of})"
        if as_of >= self.review_due_on:
            return f"{age}: review them with REVIEW_SEGMENTS=yes, which was due on {self.review_due_on}"
        return f"{age} and kept; a review (REVIEW_SEGMENTS=yes) is due on {self.review_due_on}"


def read_borders(warehouse: Warehouse) -> SegmentBorders | None:
    """None where no customer has bought in the window, so that there is nothing to divide."""
    found = warehouse.read(
        """select distinct window_days, borders_as_of_date, review_due_on, is_provisional
        from marts.segment_definitions where borders_as_of_date is not null"""
    ).to_pylist()
    return SegmentBorders(*found[0].values()) if found else None


def _months(earlier: date, later: date) -> str:
    months = 12 * (later.year - earlier.year) + later.month - earlier.month - (later.day < earlier.day)
    return "1 month" if months == 1 else f"{months} months"
