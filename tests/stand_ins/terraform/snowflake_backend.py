"""What Snowflake refuses because of what else is there: a network policy that a user has is not dropped."""

import threading
from collections.abc import Mapping
from typing import Any

from tests.stand_ins.terraform.provider import Refused
from tests.stand_ins.terraform.values import Value

_USER, _POLICY = "snowflake_service_user", "snowflake_network_policy"


class SnowflakeBackend:
    """Knows which user has which network policy, from what is applied and from the states that are refreshed."""

    def __init__(self) -> None:
        self.one_at_a_time = threading.Lock()
        self.policy_by_user: dict[str, str] = {}

    def knows(self, kind: str) -> bool:
        return kind in (_USER, _POLICY)

    def configure(self, config: Mapping[str, Any]) -> None:
        pass

    def create(self, kind: str, value: Value) -> Value:
        self._record(kind, value)
        return {}

    def update(self, kind: str, value: Value) -> None:
        self._record(kind, value)

    def delete(self, kind: str, state: Value) -> None:
        name = state["name"]
        with self.one_at_a_time:
            if kind == _USER:
                self.policy_by_user.pop(name, None)
            elif users := sorted(user for user, policy in self.policy_by_user.items() if policy == name):
                raise Refused(
                    f"001492 (42601): SQL compilation error: Cannot perform Drop operation on network policy {name}."
                    f" The policy is attached to USER {', '.join(users)}."
                )

    def exists(self, kind: str, state: Value) -> bool:
        self._record(kind, state)
        return True

    def _record(self, kind: str, value: Value) -> None:
        if kind == _USER:
            with self.one_at_a_time:
                self.policy_by_user[value["name"]] = value.get("network_policy") or ""
