"""How long the tasks of a command took."""

from flows.console.sections import Section
from flows.timings import spent


def timings() -> Section:
    """One row per task, in seconds of wall-clock and of processor time."""
    columns = ("task", "seconds", "of the processors")
    return "Where the time went", (), columns, [(name, f"{s:.2f}", f"{cpu:.2f}") for name, s, cpu in spent()]
