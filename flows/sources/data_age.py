"""How old the data of a run is, and whether anything may be sent on it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

# what dbt says of a source: warn and error are beyond its thresholds
_LATE = ("warn", "error")
_MINUTE = "%Y-%m-%d %H:%M"


@dataclass(frozen=True)
class TableAge:
    """What dbt has found of a table of a source. `newest`: when its newest record arrived, UTC; None where that is not
    known, and `message` says why. `status`: pass, warn, error or runtime error. `threshold`: the one that it is beyond,
    in words."""

    connection: str
    table: str
    newest: datetime | None
    status: str
    threshold: str = ""
    message: str = ""


@dataclass(frozen=True)
class DataAge:
    """`notes`: how old everything is. `warnings`: what is older than it should be. `why_nothing_is_sent`: None where
    the data is young enough to send on."""

    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    why_nothing_is_sent: str | None = None


NOT_JUDGED = DataAge()  # of a past day, or of a simulated shop


def judge_age(
    newest_order: date,
    tables: Sequence[TableAge],
    last_syncs: Mapping[str, datetime],
    at: datetime,
    stale_after_days: int,
    stop_sending_after_days: int,
) -> DataAge:
    """How old a run's data is at a moment, UTC. `last_syncs`: by connection, when its last sync that succeeded began.

    An order has to be older than that many days: of a shop that rests on weekends, Friday's is three days old on
    Monday. Contacts bring consent, so nothing is sent either where a connection has brought nothing for as long."""
    order = f"the newest order is of {newest_order}, {_days((at.date() - newest_order).days)} ago"
    arrivals = _arrivals(tables, last_syncs)
    ages = {order: (at.date() - newest_order).days}
    for connection, when in arrivals.items():
        ages[f"nothing has come from {connection} since {when:{_MINUTE}} UTC"] = (at - when).days
    stale = [what for what, days in ages.items() if days > stale_after_days]
    too_old = [what for what, days in ages.items() if days > stop_sending_after_days]
    return DataAge(
        notes=(order, *(f"{name} last brought data at {when:{_MINUTE}} UTC" for name, when in arrivals.items()))
        if arrivals
        else (),
        warnings=(*stale, *_late_tables(tables, at)),
        why_nothing_is_sent=f"{' and '.join(too_old)} (STOP_SENDING_AFTER_DAYS={stop_sending_after_days})"
        if too_old
        else None,
    )


def _arrivals(tables: Sequence[TableAge], last_syncs: Mapping[str, datetime]) -> dict[str, datetime]:
    """By connection, when it last brought something; a sync that succeeded counts though nothing had changed."""
    arrivals: dict[str, datetime] = {}
    for table in tables:
        known = [
            when for when in (table.newest, last_syncs.get(table.connection), arrivals.get(table.connection)) if when
        ]
        if known:
            arrivals[table.connection] = max(known)
    return arrivals


def _late_tables(tables: Sequence[TableAge], at: datetime) -> Iterator[str]:
    for table in tables:
        name = f"{table.connection}.{table.table}"
        if table.status in _LATE and table.newest:
            yield f"the newest record of {name} came {_days((at - table.newest).days)} ago ({table.threshold})"
        elif table.status != "pass":
            yield f"how fresh {name} is could not be found: {table.message}"


def _days(days: int) -> str:
    return f"{days:,} day{'' if days == 1 else 's'}"
