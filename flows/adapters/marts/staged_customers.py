"""How customer ids were read: what was not taken as it is written, and why."""

from collections.abc import Iterator

from flows.ports.warehouse import Warehouse

_SHARED = "more orders than a person has"


def describe_corrections(warehouse: Warehouse) -> Iterator[str]:
    """A sentence for each way in which ids were not taken as they are written, with an example."""
    found = warehouse.read(
        """select correction, count(*) as ids, cast(sum(line_count) as bigint) as line_count,
            min(written_id) as example, min(customer_id) as customer
        from staging.stg_shop__customer_id_corrections
        group by correction, case when correction like '%person%' then written_id end
        order by 3 desc, 1, 4"""
    ).to_pylist()
    for row in found:
        yield _sentence(**row)


def _sentence(correction: str, ids: int, line_count: int, example: str, customer: str | None) -> str:
    written = example if "@" not in example else f"{example[0]}•••@{example.split('@')[-1]}"
    if correction == "leading zeros":
        return f"{ids:,} customer ids differ from others in leading zeros only ({written}): each is one customer"
    if correction == "spelling":
        return f"{ids:,} customer ids are read without what an export has added to them ({written} as {customer})"
    if correction == "number of a guest":
        return f"{ids:,} customer ids number the orders of guests ({written}): their e-mail addresses are the customers"
    if _SHARED in correction:
        return (
            f"{written!r} stands on {line_count:,} order lines, {_SHARED}: it is nobody. If it is one customer, name it"
            " in real_ids of airbyte/connections.yml"
        )
    if correction == "no customer":
        return f"{line_count:,} order lines have a word for no customer as their customer id ({written!r})"
    return f"{line_count:,} order lines have a customer id that a spreadsheet has cut to its first digits ({written!r})"
