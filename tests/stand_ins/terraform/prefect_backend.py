"""Makes Prefect's objects on a real server, as Prefect's provider does: over HTTP, at the address of its own block."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from tests.stand_ins.terraform.provider import Refused
from tests.stand_ins.terraform.values import Value

_PATHS = {
    "prefect_automation": "automations",
    "prefect_block": "block_documents",
    "prefect_global_concurrency_limit": "v2/concurrency_limits",
    "prefect_work_pool": "work_pools",
}


class PrefectBackend:
    """`url` and `key` come with the provider's configuration."""

    url, key = "", None

    def __init__(self) -> None:
        self.one_at_a_time = threading.Lock()

    def knows(self, kind: str) -> bool:
        return kind in _PATHS

    def configure(self, config: Mapping[str, Any]) -> None:
        self.url, self.key = config["endpoint"].rstrip("/"), config.get("api_key")

    def create(self, kind: str, value: Value) -> Value:
        made = self._ask("POST", f"{_PATHS[kind]}/", self._body(kind, value, creates=True))
        computed = {name: made.get(name) for name in ("id", "created", "updated")}
        return computed | ({"default_queue_id": made["default_queue_id"]} if kind == "prefect_work_pool" else {})

    def update(self, kind: str, value: Value) -> None:
        method = "PUT" if kind == "prefect_automation" else "PATCH"
        self._ask(method, self._path(kind, value), self._body(kind, value, creates=False))

    def delete(self, kind: str, state: Value) -> None:
        self._ask("DELETE", self._path(kind, state))

    def exists(self, kind: str, state: Value) -> bool:
        try:
            self._ask("GET", self._path(kind, state))
        except Refused as refused:
            if "404" in str(refused):
                return False
            raise
        return True

    def _path(self, kind: str, value: Value) -> str:
        return f"{_PATHS[kind]}/{value['name' if kind == 'prefect_work_pool' else 'id']}"

    def _body(self, kind: str, value: Value, creates: bool) -> Value:
        if kind == "prefect_work_pool":
            body = {name: value.get(name) for name in ("description", "concurrency_limit")}
            body["is_paused"] = bool(value.get("paused"))
            if template := value.get("base_job_template"):
                body["base_job_template"] = json.loads(template)
            return body | ({"name": value["name"], "type": value.get("type")} if creates else {})
        if kind == "prefect_global_concurrency_limit":
            return {name: value[name] for name in ("name", "limit", "active") if value.get(name) is not None}
        if kind == "prefect_automation":
            return _automation(value)
        data = json.loads(value.get("data_wo") or value["data"])
        if not creates:
            return {"data": data, "merge_existing_data": False}
        block_type = self._ask("GET", f"block_types/slug/{value['type_slug']}")["id"]
        wanted = {"block_schemas": {"block_type_id": {"any_": [block_type]}}}
        schema = self._ask("POST", "block_schemas/filter", wanted)[0]["id"]
        return {"name": value["name"], "data": data, "block_type_id": block_type, "block_schema_id": schema}

    def _ask(self, method: str, path: str, body: Value | None = None) -> Any:
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {self.key}"} if self.key else {})
        request = urllib.request.Request(
            f"{self.url}/{path}", None if body is None else json.dumps(body).encode(), headers, method=method
        )
        for pause in (
            0.2,
            0.5,
            1,
            2,
            None,
        ):  # a server on SQLite is busy now and then, and the real provider tries again
            try:
                with self.one_at_a_time, urllib.request.urlopen(request, timeout=30) as response:
                    return json.loads(response.read() or b"null")
            except urllib.error.HTTPError as error:
                if error.code != 503 or pause is None:
                    problem = error.read().decode()[:500]
                    raise Refused(f"Prefect answers {error.code} to {method} {path}: {problem}") from None
            time.sleep(pause)
        return None


def _automation(value: Value) -> Value:
    event = value["trigger"]["event"]
    trigger = {name: found for name, found in event.items() if found is not None and not name.startswith("match")}
    for name in ("match", "match_related"):
        trigger[name] = json.loads(event.get(name) or "{}")
    actions = [{name: found for name, found in action.items() if found is not None} for action in value["actions"]]
    return {
        "name": value["name"],
        "description": value.get("description") or "",
        "enabled": value.get("enabled") is not False,
        "trigger": {"type": "event"} | trigger,
        "actions": actions,
    }
