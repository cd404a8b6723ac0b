"""Which failures of a task are worth another try."""

from typing import Any

from flows.errors import TryAgain


def _is_worth_another_try(_task: Any, _run: Any, state: Any) -> bool:
    return isinstance(state.result(raise_on_failure=False), TryAgain)


# a reader of the laptop's warehouse is gone in a moment, and Snowflake back; whatever else fails would fail again
waits_for_warehouse: dict[str, Any] = {
    "retries": 3,
    "retry_delay_seconds": [1, 2, 4],
    "retry_condition_fn": _is_worth_another_try,
}
