"""The interface of a destination: what it receives and what it returns.

A destination receives customers and reports one result for each. It adds nobody: customers in the holdout and those
who have opted out are removed before; for one of ADVERTISING, all who are not known to consent to that, too. It sends
in batches and yields the results of a batch as soon as it has them; the caller records them before it requests the next
batch. So an interruption loses the record of one batch at most, and sending a batch twice must do no harm.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import pyarrow as pa
import pyarrow.compute as pc

Result = Literal["sent", "opted_out", "no_address", "not_found", "refused"]
Verdict = tuple[Result, str | None]  # with the detail

CONTACT_SCHEMA = pa.schema(
    [
        pa.field("customer_id", pa.string(), nullable=False),
        ("email", pa.string()),
        ("segment", pa.string()),
        ("risk_band", pa.string()),
        ("lifecycle", pa.string()),  # NULL: not scored
        ("queue", pa.string()),  # keep, win_back or thank; NULL: in none
        ("churn_probability", pa.float64()),  # NULL: not scored
        ("expected_spend", pa.float64()),  # until the horizon, in `currency`; NULL: not scored
        ("clv", pa.float64()),  # expected spend in the next clv_days, in `currency`; NULL: not scored
        ("expected_loss", pa.float64()),  # in clv_days, in `currency`; NULL: not scored
        ("win_back_value", pa.float64()),  # in clv_days, in `currency`; NULL: not scored
        ("reason", pa.string()),
        ("recommended_action", pa.string()),
        ("next_product_1", pa.string()),  # sku to show next, the best first; NULL: none, or categories are ranked
        ("next_product_2", pa.string()),
        ("next_product_3", pa.string()),
        ("next_product_name_1", pa.string()),  # its name in the table of products; NULL: not known
        ("next_product_name_2", pa.string()),
        ("next_product_name_3", pa.string()),
        ("next_category_1", pa.string()),  # of the best; NULL: not known
        ("offer", pa.string()),  # NULL without a campaign
        ("variant", pa.string()),  # of the campaign's contents; NULL where it has one for all
        ("country", pa.string()),
        ("currency", pa.string()),
    ]
)

RESULTS = pa.schema(
    [
        pa.field("customer_id", pa.string(), nullable=False),
        pa.field("result", pa.string(), nullable=False),
        ("detail", pa.string()),  # for people to read, without an address
    ]
)


@dataclass(frozen=True)
class SendRequest:
    """people: CONTACT_SCHEMA, one row per customer. audience: name of the campaign; None: segments alone, and no list.
    members: e-mail addresses of everyone the campaign contacts, including those who were sent before; a destination
    that keeps a list recognises by them whether the list belongs to this campaign. is_resumed: whether some were sent
    before, so that the list is the campaign's."""

    audience: str | None
    people: pa.Table
    members: Collection[str] = frozenset()
    is_resumed: bool = False


class Destination(Protocol):
    """`name`: what a campaign calls it. `is_full_refresh`: every request must have everyone, also customers who were
    sent before."""

    @property
    def name(self) -> str: ...

    @property
    def is_full_refresh(self) -> bool: ...

    def check(self, request: SendRequest) -> None:
        """Raises what would make `send` fail, as far as it can be known before a launch. Nothing is sent."""
        ...

    def send(self, request: SendRequest) -> Iterator[pa.Table]:
        """Sends to everyone; yields tables of RESULTS, which together have each customer once.

        Raises:
            PipelineError: when it cannot go on. What was yielded before is sent.
        """
        ...

    def suppress(self, request: SendRequest) -> str:
        """Lists the members of a campaign's control group, so that its other messages can leave them out; nobody is
        written to. Returns where, for people to read.

        Raises:
            PipelineError: when it cannot.
        """
        ...


@runtime_checkable
class TakesOptOuts(Protocol):
    """A destination that can be told who has opted out here, so that it writes to them no more, whatever sends there.
    `suppresses_opt_outs`: the shop wants that; `service`: its name for people."""

    @property
    def suppresses_opt_outs(self) -> bool: ...

    @property
    def service(self) -> str: ...

    def opt_out(self, people: pa.Table) -> Iterator[pa.Table]:
        """Has it send nothing more to those of the people whom it knows; creates nobody. people: CONTACT_SCHEMA's
        customer_id and email, at least. Yields tables of RESULTS: opted_out, or why not."""
        ...


def control_group_of(campaign: str) -> str:
    """The name of the list of a campaign's control group at a destination."""
    return f"{campaign} control group"


def variant_of(campaign: str, variant: str) -> str:
    """The name of the list of those who get a variant at a destination."""
    return f"{campaign} {variant}"


def lists_of(request: SendRequest) -> dict[str | None, str]:
    """The names of the campaign's lists at a destination, if there is a campaign: of everybody, and by variant."""
    if request.audience is None:
        return {}
    variants = sorted(set(request.people["variant"].drop_null().to_pylist()))
    return {None: request.audience} | {name: variant_of(request.audience, name) for name in variants}


def members_of(request: SendRequest) -> set[str] | None:
    """The addresses, in small letters, that such a list may have before this request; None: it is the campaign's."""
    return None if request.is_resumed else {address.strip().lower() for address in request.members}


def results(customer_ids: pa.Array | pa.ChunkedArray, result: Result, detail: str | None = None) -> pa.Table:
    """RESULTS with the same result for each of the customers."""
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
