"""`marts.churn_predictions` in Snowflake."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from functions.prediction_messages import parted
from functions.prediction_record import COLUMNS, RELATION, PredictionRecord

# Snowflake's limit is a million, and the connector writes the rows into the statement
STATEMENT_CHARACTERS = 500_000

_TYPES = {"timestamp": "timestamp_ntz"}  # the meaning of plain timestamp is a setting of the account

# A message that comes again has the same dates; named, they keep Snowflake from reading the ids of all days, by which
# the table is clustered.
# MERGE, and not INSERT … WHERE NOT EXISTS: Snowflake lets only one MERGE at a time change a table
MERGE = f"""merge into {RELATION} as stored
using (
    select {", ".join(f"item.value:{name}::{_TYPES.get(kind, kind)} as {name}" for name, kind in COLUMNS.items())}
    from (select parse_json(%s) as records) as message, lateral flatten(input => message.records) as item
) as incoming
on stored.prediction_id = incoming.prediction_id and stored.as_of_date = incoming.as_of_date
when not matched then insert ({", ".join(COLUMNS)}) values ({", ".join(f"incoming.{name}" for name in COLUMNS)})"""


@dataclass
class SnowflakePredictions:
    """`connect` opens a connection to the database, which stays open until something fails."""

    connect: Callable[[], Any]
    _connection: Any = field(default=None, repr=False)

    def merge(self, records: Sequence[PredictionRecord]) -> None:
        """Adds the rows whose prediction_id is not there yet.

        Each statement is atomic; if a later one fails, merging all of them again adds the rest.
        """
        if self._connection is None:
            self._connection = self.connect()
        try:
            with self._connection.cursor() as cursor:
                for rows in _statements(records):
                    cursor.execute(MERGE, (rows,))
        except Exception:
            failed, self._connection = self._connection, None
            failed.close()
            raise


def _statements(records: Sequence[PredictionRecord]) -> Iterator[str]:
    """The rows as JSON lists, each small enough for a statement after the connector's escaping."""
    rows = (json.dumps(record.model_dump(mode="json"), ensure_ascii=False) for record in records)
    for together in parted(rows, lambda row: len(row) + row.count("\\") + row.count("'") + 2, STATEMENT_CHARACTERS):
        yield f"[{', '.join(together)}]"
