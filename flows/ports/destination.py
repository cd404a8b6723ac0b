"""What every destination takes and answers: for whoever adds one more.

A destination is given people and says of each, once, what became of him. It adds nobody: who is in the holdout or has
opted out is not among the people any more. It sends in batches and yields a batch's results as soon as they are taken;
the caller records them before it asks for the next. So an interruption loses the record of one batch at most, and a
destination must be one to which a batch can be sent again without harm.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import pyarrow as pa
import pyarrow.compute as pc

Result = Literal["sent", "opted_out", "no_address", "not_found", "refused"]

PEOPLE = pa.schema(
    [
        pa.field("customer_id", pa.string(), nullable=False),
        ("email", pa.string()),
        ("segment", pa.string()),
        ("risk_band", pa.string()),
        ("churn_probability", pa.float64()),  # NULL: not scored
        ("expected_spend", pa.float64()),  # until the horizon, in `currency`; NULL: not scored
        ("reason", pa.string()),
        ("recommended_action", pa.string()),
        ("offer", pa.string()),  # NULL without a campaign
        ("country", pa.string()),
        ("currency", pa.string()),
    ]
)

RESULTS = pa.schema(
    [
        pa.field("customer_id", pa.string(), nullable=False),
        pa.field("result", pa.string(), nullable=False),
        ("detail", pa.string()),  # in words, without an address
    ]
)


@dataclass(frozen=True)
class Outgoing:
    """people: as PEOPLE says, each customer once. audience: name of the campaign; None: segments alone, and no list.
    members: e-mail addresses of all whom the campaign contacts, those included who were sent before; a destination
    that keeps a list knows by them whether the list is this campaign's. is_resumed: whether some were sent before, so
    that it is."""

    audience: str | None
    people: pa.Table
    members: Collection[str] = frozenset()
    is_resumed: bool = False


class Destination(Protocol):
    """`name` as a campaign calls it. `rewrites_everybody`: each time it wants all people, also those whom it has
    taken before."""

    @property
    def name(self) -> str: ...

    @property
    def rewrites_everybody(self) -> bool: ...

    def check(self, outgoing: Outgoing) -> None:
        """Raises what can be known to stand in the way, before a campaign is launched. Nobody is told anything."""
        ...

    def send(self, outgoing: Outgoing) -> Iterator[pa.Table]:
        """Sends everybody; yields tables as RESULTS says, which together have each customer once.

        Raises:
            PipelineError: when it cannot go on. What was yielded before is sent.
        """
        ...


def results(customer_ids: pa.Array | pa.ChunkedArray, result: Result, detail: str | None = None) -> pa.Table:
    """The same result of several customers."""
    count = len(customer_ids)
    columns = [
        customer_ids.cast(pa.string()),
        pa.repeat(result, count),
        pa.repeat(pa.scalar(detail, pa.string()), count),
    ]
    return pa.table(columns, schema=RESULTS)


def addresses(people: pa.Table) -> pa.ChunkedArray:
    """E-mail addresses as they are written, without blanks around them; NULL where there is none."""
    trimmed = pc.utf8_trim_whitespace(people.column("email"))
    return pc.if_else(pc.match_substring_regex(trimmed, r"^[^@\s]+@[^@\s]+$"), trimmed, pa.scalar(None, pa.string()))
