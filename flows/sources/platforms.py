"""Which shop system a file comes from, by its headers, and what that makes of its columns."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from flows.sources.connections import Connections, Contacts, OrderLineColumn, OrderLines, Platform
from flows.sources.words import plain

Meaning = TypeVar("Meaning", OrderLines, Contacts)

_CUSTOMER: tuple[OrderLineColumn, ...] = ("customer_id", "email")
_MONEY: tuple[OrderLineColumn, ...] = ("order_total", "amount", "unit_price")  # the first that there is counts


def as_platform(
    header: Sequence[str], given: Meaning, platforms: Sequence[Platform]
) -> tuple[Meaning, Platform | None]:
    """What rows with this header mean, and whose export they are. Where columns are `given` or no platform is known by
    the header: what is given. What a connection says counts before what the platform's entry says."""
    by_plain_name = {plain(name): name for name in reversed(header)}
    known = [
        (platform, exported)
        for platform in platforms
        for exported in (platform.order_lines, platform.contacts)
        if isinstance(exported, type(given)) and by_plain_name.keys() >= set(map(plain, platform.recognised_by))
    ]
    if given.columns or not known:
        return given, None
    platform, exported = max(known, key=lambda pair: len(pair[0].recognised_by))
    there = _columns_there(platform, exported.columns, by_plain_name)
    said = {name: getattr(given, name) for name in given.model_fields_set}
    return exported.model_copy(update={**said, "columns": there}), platform


def describe_recognised(platform: Platform | None, read_as: OrderLines) -> Iterator[str]:
    """Whose export it is, and which columns stand in for one that it does not have."""
    if platform is None or platform.order_lines is None:
        return
    yield f"recognised an export of {platform.name}"
    for ours in platform.or_else:
        usual, there = platform.order_lines.columns[ours], read_as.columns.get(ours)
        if there and plain(there) != plain(usual):
            yield f"no column {usual}: {there} is {ours}"


def other_headers(
    known: Connections, read_as: OrderLines, platform: Platform | None
) -> Mapping[OrderLineColumn, Sequence[str]]:
    """Our column name → headers that may say it better than the one that is mapped; none of what somebody declared."""
    if not read_as.columns:
        return known.recognised_headers.order_lines
    return platform.or_else if platform else {}


def headers_of_order_lines(known: Connections) -> dict[OrderLineColumn, tuple[str, ...]]:
    """Our column name → every header that is recognised as it, on any platform."""
    headers = dict(known.recognised_headers.order_lines)
    for platform in known.platforms:
        for ours, theirs in (platform.order_lines.columns if platform.order_lines else {}).items():
            headers[ours] = (*headers.get(ours, ()), theirs, *platform.or_else.get(ours, ()))
    return headers


def _columns_there(platform: Platform, columns: Mapping[Any, str], header: Mapping[str, str]) -> dict[Any, str]:
    """Our column name → the first of its headers that the file has. `header`: plain name → header."""
    there = {}
    for ours, theirs in columns.items():
        names = [plain(name) for name in (theirs, *platform.or_else.get(ours, ()))]
        if found := next((header[name] for name in names if name in header), None):
            there[ours] = found
    return there


def describe_platforms(platforms: Sequence[Platform]) -> str:
    """A table in Markdown of what is recognised, and by which headers."""
    return "\n".join(_rows(platforms))


def _rows(platforms: Sequence[Platform]) -> Iterator[str]:
    yield "| export | known by the headers | customer | money | no sale |"
    yield "|---|---|---|---|---|"
    for platform in platforms:
        if platform.order_lines is None:
            continue
        columns = platform.order_lines.columns
        customers = [columns[name] for name in _CUSTOMER if name in columns]
        customer = " or ".join(f"`{name}`" for name in (*customers, *platform.or_else.get("customer_id", ())))
        money = next(columns[name] for name in _MONEY if name in columns)
        less = f" less `{columns['refunded_amount']}`" if "refunded_amount" in columns else ""
        status = platform.order_lines.status
        no_sale = ", ".join((*status.not_sold, *(() if less else status.refunded)))
        headers = ", ".join(f"`{name}`" for name in platform.recognised_by)
        yield f"| {platform.name} | {headers} | {customer} | `{money}`{less} | {no_sale} |"
