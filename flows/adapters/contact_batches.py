"""Customers of a request by e-mail address, in batches: customers with the same address are one contact."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flows.ports.destination import RESULTS, Verdict

_SHARED = "Another customer has the same address."


@dataclass(frozen=True)
class ContactBatch:
    """`addresses`, in small letters, with the first customer of each in `first`. `people`: all their customers, of whom
    `position` says which address they have, and `is_another` whether they are another than the first."""

    addresses: list[str]
    first: pa.Table
    people: pa.Table
    position: NDArray[np.intp]
    is_another: NDArray[np.bool_]

    def variants(self) -> dict[str, str | None]:
        """The variant of each address."""
        return dict(zip(self.addresses, self.first["variant"].to_pylist(), strict=True))

    def results(self, verdicts: Mapping[str, Verdict]) -> pa.Table:
        """RESULTS of all their customers, given the verdict of each address."""
        by_address = [verdicts[address] for address in self.addresses]
        result, detail = (
            pa.array([verdict[part] for verdict in by_address], pa.string()).take(pa.array(self.position))
            for part in (0, 1)
        )
        detail = pc.if_else(pc.and_(pa.array(self.is_another), pc.equal(result, "sent")), _SHARED, detail)
        return pa.table([self.people.column("customer_id"), result, detail], schema=RESULTS)


def batches_by_address(people: pa.Table, addresses: pa.ChunkedArray, size: int) -> Iterator[ContactBatch]:
    """The customers in batches of `size` addresses; `addresses`: that of each, in small letters and none missing."""
    encoded = addresses.combine_chunks().dictionary_encode()
    known, of_address = encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
    first = np.unique(of_address, return_index=True)[1]  # row of each address
    rows_by_address = np.argsort(of_address, kind="stable")
    for start in range(0, len(known), size):
        end = min(start + size, len(known))
        begin_row, end_row = np.searchsorted(of_address[rows_by_address], [start, end])
        rows = rows_by_address[begin_row:end_row]
        yield ContactBatch(
            known[start:end],
            people.take(first[start:end]),
            people.take(rows),
            of_address[rows] - start,
            rows != first[of_address[rows]],
        )
