"""What the flows want of a warehouse, whichever it is. Queries are written in SQL that both engines understand."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, Self

import pyarrow as pa

from flows.sources.connections import Connections
from flows.sources.mappings import Kind, Landing
from functions.prediction_record import PredictionRecord


class Warehouse(Protocol):
    """Tables of one shop.

    Any method may raise `TryAgain`: nothing has happened then, and the same call may succeed in a moment.
    """

    @property
    def place(self) -> str:
        """Where the tables are, for people."""
        ...

    def read(self, query: str) -> pa.Table:
        """The result of a query; names in small letters, whole numbers as int64 where the engine has no narrower."""
        ...

    def row(self, query: str) -> tuple[Any, ...]:
        """The one row of a query that always has one."""
        ...

    def merge(self, relation: str, rows: pa.Table, keys: Sequence[str]) -> None:
        """Puts rows into a table, replacing those with the same keys; the table is made if there is none."""
        ...

    def change(self, doing: str, statements: Sequence[str]) -> None:
        """Executes statements that change rows: all of them or none. `doing` says what for, if it fails."""
        ...

    def blank_rows(self, connection: str, kind: Kind, keys: str) -> None:
        """Writes `mappings.ERASED` over every text of raw rows that came from files, and NULL over the rest. `keys`: a
        query of their keys."""
        ...

    def drop_raw(self, relation: str) -> int:
        """Drops what was landed from files that no run reads any more; returns how many rows that were."""
        ...

    def other_shops(self) -> Sequence[Self]:
        """Warehouses of other shops that are kept here."""
        ...

    def forget_deleted(self) -> str:
        """Leaves nothing of what was deleted where it was stored, as far as that can be; returns what the user should
        know of it."""
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

    def land_order_lines(
        self, pattern: str, connection: str, connections: Connections, extracted_at: datetime
    ) -> Landing:
        """Replaces the connection's raw order lines by the content of the files. See `flows/adapters/files/reading`."""
        ...

    def land_contacts(self, pattern: str, connection: str, connections: Connections, extracted_at: datetime) -> Landing:
        """Replaces the connection's raw contacts by the content of the files. See `flows/adapters/files/reading`."""
        ...

    def synced_order_lines(self, connection: str, connections: Connections) -> Landing:
        """What Airbyte has brought of the connection's order lines.

        Raises:
            BadInput: when that is nothing, or not what airbyte/connections.yml says of it.
        """
        ...

    def synced_contacts(self, connection: str, connections: Connections) -> Landing:
        """What Airbyte has brought of the connection's contacts.

        Raises:
            BadInput: when that is nothing, or not what airbyte/connections.yml says of it.
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
