"""Files that are landed."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.adapters.files.reading.landing import CsvLanding
from flows.settings import CONNECTIONS
from flows.sources.connections import Contacts, OrderLines, Products, read_connections
from flows.sources.mappings import Landing


@pytest.fixture
def land(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Landing]:
    """land(content, name=…, kind=…, pattern=…, **stream): lands a file of this content, or the files that match the
    pattern, in `con` as order lines, contacts or products of the connection `shop`."""
    known, scratch = read_connections(CONNECTIONS), tmp_path_factory.mktemp("scratch")

    def landed(
        content: str | bytes | None,
        name: str = "orders.csv",
        kind: str = "order_lines",
        pattern: str = "",
        **stream: Any,
    ) -> Landing:
        if content is not None:
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        landing = CsvLanding(con, known, datetime(2026, 1, 1, tzinfo=UTC), scratch)
        files = str(tmp_path / (pattern or name))
        if kind == "contacts":
            return landing.contacts(files, "shop", Contacts.model_validate(stream))
        if kind == "products":
            return landing.products(files, "shop", Products.model_validate(stream))
        return landing.order_lines(files, "shop", OrderLines.model_validate(stream))

    return landed
