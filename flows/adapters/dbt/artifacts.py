"""dbt's JSON files about a run, for tools that read a finished one."""

import json
from collections.abc import Mapping
from datetime import UTC
from pathlib import Path
from typing import Any

from flows.sources.data_age import TableAge

RUN_RESULTS, SOURCES, MANIFEST, CATALOG = "run_results.json", "sources.json", "manifest.json", "catalog.json"


def read_artifact(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


def merged_results(before: Mapping[str, Any] | None, built: Mapping[str, Any]) -> dict[str, Any]:
    """The results of a build added to those of the builds before; of a node that was built twice, the last counts."""
    if before is None:
        return dict(built)
    results = {result["unique_id"]: result for result in (*before["results"], *built["results"])}
    elapsed = before["elapsed_time"] + built["elapsed_time"]
    return {**built, "results": list(results.values()), "elapsed_time": elapsed}


def table_age(result: Any) -> TableAge:
    """Of dbt's freshness result for a table of a source, whose schema is raw_ and the connection's name."""
    node, status = result.node, str(result.status)
    newest = getattr(result, "max_loaded_at", None)
    limit = getattr(node.freshness, f"{status}_after", None)
    return TableAge(
        connection=node.schema.removeprefix("raw_"),
        table=node.name,
        newest=newest and (newest.astimezone(UTC) if newest.tzinfo else newest.replace(tzinfo=UTC)),
        status=status,
        threshold=f"{status} after {limit.count} {limit.period.plural()}" if limit else "",
        message=result.message or "",
    )
