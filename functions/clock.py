"""The only place that asks what time it is; everything else is told."""

from datetime import UTC, datetime


def now() -> datetime:
    """This second, in UTC."""
    return datetime.now(UTC).replace(microsecond=0)
