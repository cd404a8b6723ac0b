"""What of each day's purchases was sent back: which sale a return belongs to.

int_named_returns and int_returns of dbt are the reference. The work grows with n log n of a customer's lines."""

from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple


class Line(NamedTuple):
    """A sale or a return; `cents` is positive. Lines compare by their place in the history."""

    position: int
    at: datetime
    order_id: object
    sku: str | None
    cents: int


def cents_returned(sales: Sequence[Line], returns: Sequence[Line], gross: Mapping[date, int]) -> Counter[date]:
    """Returns of each day's purchase: see int_named_returns and int_returns."""
    named: Counter[date] = Counter()  # the part of each day's returns that belongs to the sales they name
    returned: list[tuple[date, int, int]] = []  # day, what it takes from its named sale, what remains
    so_far = _SalesSoFar(sales)
    for back in sorted(returns, key=lambda line: (line.at, line.position)):
        sale = so_far.named_by(back)
        if sale is None:
            returned.append((back.at.date(), 0, back.cents if back.sku is None else 0))
            continue
        day = sale.at.date()
        taken = max(min(back.cents, gross[day] - named[day]), 0)
        named[day] += taken
        returned.append((back.at.date(), taken, back.cents - taken))
    if any(rest for *_, rest in returned):
        named.update(_from_latest(gross, returned))
    return named


class _SalesSoFar:
    """The sales up to the moment of one return after the other. Of two in the same moment, the one that comes first in
    the history counts as the later one."""

    def __init__(self, sales: Sequence[Line]) -> None:
        self._coming = sorted(sales, key=lambda sale: (sale.at, -sale.position), reverse=True)
        self._order_cents: Counter[tuple[object, date]] = Counter()
        for sale in sales:
            self._order_cents[sale.order_id, sale.at.date()] += sale.cents
        self._of_order: dict[object, Line] = {}
        self._of_product_in_order: dict[tuple[object, str], Line] = {}
        self._in_order_of_amount: dict[int, Line] = {}
        # by product: each sale that no later one reaches in amount, so amounts fall
        self._of_product: dict[str, list[Line]] = {}

    def named_by(self, back: Line) -> Line | None:
        """The latest sale of a return's order, of its product if possible; else of its product and no smaller, or,
        for a return without a product, in an order of its amount. Returns come by moment."""
        while self._coming and self._coming[-1].at <= back.at:
            self._add(self._coming.pop())
        in_order = self._of_order.get(back.order_id)
        if back.sku is None:
            return in_order or self._in_order_of_amount.get(back.cents)
        if in_order is not None:
            return self._of_product_in_order.get((back.order_id, back.sku), in_order)
        sold = self._of_product.get(back.sku, ())
        reached = bisect_right(sold, -back.cents, key=lambda sale: -sale.cents)
        return sold[reached - 1] if reached else None

    def _add(self, sale: Line) -> None:
        self._of_order[sale.order_id] = sale
        self._in_order_of_amount[self._order_cents[sale.order_id, sale.at.date()]] = sale
        if sale.sku is None:
            return
        self._of_product_in_order[sale.order_id, sale.sku] = sale
        sold = self._of_product.setdefault(sale.sku, [])
        while sold and sold[-1].cents <= sale.cents:
            sold.pop()
        sold.append(sale)


def _from_latest(gross: Mapping[date, int], returned: Sequence[tuple[date, int, int]]) -> Counter[date]:
    """Returns that name no sale, taken from the latest sales of a customer, by day of the sale."""
    found: Counter[date] = Counter()
    stack: list[list[Any]] = []

    def take(cents: int) -> Iterator[tuple[date, int]]:
        while cents and stack:
            day, left = stack[-1]
            taken = min(cents, left)
            stack[-1][1] -= taken
            cents -= taken
            if left == taken:
                stack.pop()
            yield day, taken

    sold = deque(sorted(gross.items()))
    for day, named, rest in returned:
        while sold and sold[0][0] <= day:
            stack.append(list(sold.popleft()))
        list(take(named))
        for sold_on, cents in take(rest):
            found[sold_on] += cents
    return found
