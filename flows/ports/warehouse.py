"""The interface of a warehouse. Queries are written in SQL that both engines support."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, Self

import pyarrow as pa

from flows.sources.connections import Connections, KindOfFile
from flows.sources.mappings import Kind, Landing
from functions.prediction_record import PredictionRecord


class Warehouse(Protocol):
    """Tables of one shop.

    Any method may raise `TryAgain`: nothing has happened then, and the same call may succeed in a moment.
    """

    @property
    def place(self) -> str:
        """Where the tables are, for messages."""
        ...

    def held_open(self) -> AbstractContextManager[None]:
        """Inside the block many calls cost no more than one does to begin with; dbt must not build meanwhile."""
        ...

    def read(self, query: str) -> pa.Table:
        """The result of a query; names in small letters, whole numbers as int64 where the engine has no narrower."""
        ...

    def row(self, query: str) -> tuple[Any, ...]:
        """The one row of a query that always has one."""
        ...

    def merge(self, relation: str, rows: pa.Table, keys: Sequence[str]) -> None:
        """Merges rows into a table, replacing those with the same keys; the table is created if it does not exist."""
        ...

    def change(self, doing: str, statements: Sequence[str]) -> None:
        """Executes statements that change rows: all of them or none. `doing`: what they are for, for errors."""
        ...

    def blank_rows(self, connection: str, kind: Kind, keys: str) -> None:
        """Writes `mappings.ERASED` over every text of raw rows that came from files, and NULL over the rest. `keys`: a
        query of their keys."""
        ...

    def drop_raw(self, relation: str) -> int:
        """Drops tables that were landed from files and that no run reads any more; returns their number of rows."""
        ...

    def other_shops(self) -> Sequence[Self]:
        """Warehouses of other shops that are kept here."""
        ...

    def purge_deleted(self) -> str:
        """Removes deleted rows physically, as far as the engine can; returns a notice for the user."""
        ...

    def exists(self, relation: str) -> bool:
        """Whether there is such a table or view, as `schema.name`."""
        ...

    def claim_for_shop(self, shop: str) -> str | None:
        """Makes sure that no table mixes two shops; returns a notice for the user, if there is one."""
        ...

    def current_shop(self) -> str | None:
        """The shop that this is the warehouse of; None before the first run."""
        ...

    def land(
        self, kind: KindOfFile, pattern: str, connection: str, connections: Connections, extracted_at: datetime
    ) -> Landing:
        """Replaces the connection's raw rows of a kind by the content of the files. See `flows/adapters/files/reading`.

        Raises:
            BadInput: naming file, line or column, and what to write in airbyte/connections.yml.
        """
        ...

    def synced(self, kind: KindOfFile, connection: str, connections: Connections, read_at: datetime) -> Landing:
        """The connection's rows of a kind as Airbyte has synced them by `read_at`: no date is much later.

        Raises:
            BadInput: when there are none, or they are not as airbyte/connections.yml describes them.
        """
        ...

    def scores_with(self, chosen: str) -> str:
        """The version of the model that dbt's `predict_churn` will score with, when `chosen` is wanted."""
        ...

    def prepare_scoring(self, version: str, folder: Path) -> Mapping[str, str]:
        """Makes the model in `folder` ready for dbt's `predict_churn`; returns the run values that dbt needs for it."""
        ...

    def takes_predictions(self) -> bool:
        """Whether there is a marts.churn_predictions to add to."""
        ...

    def add_predictions(self, records: Sequence[PredictionRecord]) -> None:
        """Adds the rows to marts.churn_predictions whose prediction_id is not there yet; all or none of them."""
        ...
