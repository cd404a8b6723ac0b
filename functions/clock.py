"""The only place that reads the clock; everything else gets the time as a value."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current time in UTC, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
