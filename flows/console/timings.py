"""Where the time of a command went."""

from flows.console.sections import Section
from flows.timings import spent


def timings() -> Section:
    """A row for each task, in seconds of the clock and of the processors."""
    columns = ("task", "seconds", "of the processors")
    return "Where the time went", (), columns, [(name, f"{s:.2f}", f"{cpu:.2f}") for name, s, cpu in spent()]
