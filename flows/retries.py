"""Which failures of a task are worth another try."""

from flows.errors import TryAgain
from flows.orchestration import RetryPolicy

# a reader of the laptop's warehouse is gone in a moment, and Snowflake back
waits_for_warehouse = RetryPolicy(on=TryAgain, pauses_seconds=(1, 2, 4))
