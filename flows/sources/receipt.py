"""What a run has read, in orders, customers, days and money, and at which figures it stops."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from flows.settings.limits import LimitName

UNREADABLE = ("unreadable date", "unreadable amount")
CUT_ID = "customer id cut by a spreadsheet"
NOBODY = ("no customer", "an id with more orders than a person has", "an address with more orders than a person has")
MISDATED = ("date in the future", "date long before all others", "date long after all others")

MIN_ORDERS = 100  # below that, shares say little
MIN_CUSTOMERS = 50

MAX_UNREADABLE = 0.05
MAX_CUT_IDS = 0.01
MAX_NO_CUSTOMER = 0.8
MAX_MISDATED = 0.01
MAX_SHARE_OF_ORDERS = 0.3
MAX_SHARE_OF_SALES = 0.3
MAX_REFUNDS = 0.5
MIN_SHARE_OF_CONTACTS = 0.1
MIN_SHARE_OF_PRODUCTS = 0.1

_LOCAL_PART = re.compile(r"([^\s<>,;@])[^\s<>,;@]*@")


@dataclass(frozen=True)
class Month:
    """Sales and refunds of a calendar month in one currency, each in the month of its own day. `orders`: of sales."""

    currency: str | None
    month: date
    orders: int
    gross: float
    refunds: float

    @property
    def net(self) -> float:
        return self.gross - self.refunds


@dataclass(frozen=True)
class Totals:
    """Of one currency. Orders are those with a sale; what an order sold is before refunds. `refunds_of_nobody`: of
    customers without any sale. `most_orders`, `most_sales`: of one customer."""

    currency: str | None
    lines: int
    orders: int
    customers: int
    returning_customers: int
    first_on: date
    last_on: date
    gross: float
    refunds: float
    refunds_of_nobody: float
    median_order: float
    largest_order: float
    largest_order_id: str
    most_orders: int
    most_orders_customer: str
    most_sales: float

    @property
    def net(self) -> float:
        return self.gross - self.refunds


@dataclass(frozen=True)
class Rejection:
    """Rows of one kind that are not used, for one reason, in one currency. `amount`: of those whose amount is readable.
    `is_no_record`: the file is no table there. `example`: a value that does not fit, or the order
    that it is of, with its file and line where there is one."""

    kind: str
    reason: str
    currency: str | None
    rows: int
    amount: float
    is_no_record: bool
    example: str | None
    file: str | None
    line: int | None


@dataclass(frozen=True)
class Contacts:
    """How many contacts are used, and how many of them are of nobody who has ordered; how many customers there are, and
    how many of them have no contact. The examples are a customer id, or an address, of either side. Consents are counts
    of contacts."""

    contacts: int
    of_nobody: int
    customers: int = 0
    without_contact: int = 0
    example_of_contacts: str | None = None
    example_of_orders: str | None = None
    consent_to_email: int = 0
    opted_out: int = 0
    consent_to_advertising: int = 0
    refuse_advertising: int = 0


@dataclass(frozen=True)
class KnownProducts:
    """Sales of one currency, and how far the table of products covers them: rows and money of all, of those without a
    sku, and of those whose sku (`unknown_skus` of them, such as `example`) is in no row of the table."""

    currency: str | None
    lines: int
    amount: float
    lines_without_sku: int
    amount_without_sku: float
    unknown_skus: int
    unknown_lines: int
    unknown_amount: float
    example: str | None

    @property
    def covered(self) -> float:
        """Of the money, 0 to 1."""
        return 1 - (self.amount_without_sku + self.unknown_amount) / self.amount if self.amount else 0.0


@dataclass(frozen=True)
class Products:
    """How many products are used of a table of products, how many of them are sold no more, and what it covers, by
    currency."""

    products: int
    inactive: int
    example: str | None
    coverage: Sequence[KnownProducts]


@dataclass(frozen=True)
class Receipt:
    """`totals` and `months` are of the lines that are used, `totals` by size. `products`: None without a table."""

    totals: Sequence[Totals]
    months: Sequence[Month]
    rejections: Sequence[Rejection]
    contacts: Contacts
    products: Products | None = None

    @property
    def lines(self) -> int:
        return sum(of.lines for of in self.totals)


@dataclass(frozen=True)
class Breach:
    """A limit that is exceeded. `why` says what was found, and what to do about it."""

    limit: LimitName
    why: str


def breaches(receipt: Receipt) -> Iterator[Breach]:
    """The limits that a receipt exceeds: what is more likely a misreading than a shop."""
    yield from _rejected(receipt)
    yield from _unknown(receipt.contacts)
    if receipt.products:
        yield from _uncovered(receipt.products)
    for of in receipt.totals:
        if of.orders >= MIN_ORDERS:
            yield from _unlikely(of)
        elif not of.orders and of.lines >= MIN_ORDERS:
            yield Breach(
                "refunds",
                f"all {of.lines:,} lines are returns, and none is a sale. In accounts, sales may have the minus sign:"
                " export the orders as the shop has them, or turn the signs of the amounts round.",
            )


def _rejected(receipt: Receipt) -> Iterator[Breach]:
    rejected = [row for row in receipt.rejections if row.kind == "order_lines"]
    lines = receipt.lines + sum(row.rows for row in rejected)
    if lines < MIN_ORDERS:
        return
    unreadable = [row for row in rejected if row.is_no_record or row.reason in UNREADABLE]
    if sum(row.rows for row in unreadable) > MAX_UNREADABLE * lines:
        worst = max(unreadable, key=lambda row: row.rows)
        yield Breach(
            "unreadable",
            f"{_share(unreadable, lines)} could not be read, most of them for this reason: {worst.reason},"
            f" {example(worst)}. Say in airbyte/connections.yml how dates and amounts are written (`timestamp_format`,"
            " `decimal`), or export the file again.",
        )
    cut = [row for row in rejected if row.reason == CUT_ID]
    if sum(row.rows for row in cut) > MAX_CUT_IDS * lines:
        yield Breach(
            "cut_ids",
            f"{_share(cut, lines)} have a customer id of which a spreadsheet has left only the first digits,"
            f" {example(cut[0])}: nobody can tell these customers apart any more. Export the orders again, and do not"
            " save the file in a spreadsheet. A column with e-mail addresses would do too: map it as `email`.",
        )
    nobody = [row for row in rejected if row.reason in NOBODY]
    if sum(row.rows for row in nobody) > MAX_NO_CUSTOMER * lines:
        yield Breach(
            "no_customer",
            f"{_share(nobody, lines)} name no customer. Map the column that tells customers apart, such as their e-mail"
            " address, as `customer_id` or `email` in airbyte/connections.yml.",
        )
    misdated = [row for row in rejected if row.reason in MISDATED]
    if sum(row.rows for row in misdated) > MAX_MISDATED * lines:
        yield Breach(
            "misdated",
            f"{_share(misdated, lines)} have a date that cannot be right, {example(misdated[0])}. Day and month may be"
            " exchanged: write `timestamp_format:` in airbyte/connections.yml.",
        )


def _unknown(of: Contacts) -> Iterator[Breach]:
    known, met = of.contacts - of.of_nobody, of.customers - of.without_contact
    few = known < MIN_SHARE_OF_CONTACTS * of.contacts and met < MIN_SHARE_OF_CONTACTS * of.customers
    if of.contacts and of.customers and (few or not known):
        yield Breach(
            "contacts",
            f"{known:,} of {of.contacts:,} contacts are of a customer who has ordered, and {met:,} of {of.customers:,}"
            " customers have a contact, so that nearly everybody would count as somebody who may be written to."
            f" Contacts name customers as {masked(of.example_of_contacts or '')!r}, orders as"
            f" {masked(of.example_of_orders or '')!r}: map columns with the same ids, or with e-mail addresses, in"
            " airbyte/connections.yml.",
        )


def _uncovered(of: Products) -> Iterator[Breach]:
    worst = max(of.coverage, key=lambda known: known.lines, default=None)
    if worst is None or worst.covered >= MIN_SHARE_OF_PRODUCTS:
        return
    theirs = f"orders as {worst.example!r}" if worst.example else "and orders name no product"
    yield Breach(
        "products",
        f"the table of products covers {worst.covered:.0%} of the sales, so that nearly every product would count as"
        f" one that is sold, without a name. The table writes a product as {of.example!r}, {theirs}: map columns with"
        " the same numbers as `sku` in airbyte/connections.yml.",
    )


def _unlikely(of: Totals) -> Iterator[Breach]:
    is_wholesaler = 2 < of.customers < MIN_CUSTOMERS  # to whom one may well be that large
    if of.most_orders > MAX_SHARE_OF_ORDERS * of.orders and not is_wholesaler:
        yield Breach(
            "largest_customer",
            f"{of.most_orders:,} of {of.orders:,} orders are of one customer, {masked(of.most_orders_customer)!r}. If"
            " that stands for guests or for all who pay at the till, write it as one of `placeholder_ids:` in"
            " airbyte/connections.yml.",
        )
    if of.largest_order > MAX_SHARE_OF_SALES * of.gross:
        yield Breach(
            "largest_order",
            f"the order {of.largest_order_id!r} alone is {of.largest_order / of.gross:.0%} of all sales"
            f" ({of.largest_order:,.2f} of {of.gross:,.2f}; half of the orders are of {of.median_order:,.2f} or less)."
            " A total below the table or a decimal sign that is taken for another looks like that.",
        )
    if of.refunds > MAX_REFUNDS * of.gross:
        yield Breach(
            "refunds",
            f"refunds are {of.refunds / of.gross:.0%} of the sales ({of.refunds:,.2f} of {of.gross:,.2f}). Look at what"
            " says that a row is a return: a minus sign, or `returns:` in airbyte/connections.yml.",
        )
    if not of.returning_customers:
        yield Breach(
            "one_order_each",
            f"not one of {of.customers:,} customers has ordered twice. The column that is taken for the customer may"
            " number the orders: map the one that tells people apart in airbyte/connections.yml.",
        )


def example(row: Rejection) -> str:
    """Such as: for example '30/04/23' (orders.csv line 17)."""
    place = f" ({row.file} line {row.line})" if row.file else ""
    return f"for example {masked((row.example or '')[:60])!r}{place}"


def masked(text: str) -> str:
    """Without the local parts of e-mail addresses: what a run shows is kept where nobody can be erased from it."""
    return _LOCAL_PART.sub(r"\1•••@", text)


def _share(rows: Sequence[Rejection], lines: int) -> str:
    count = sum(row.rows for row in rows)
    return f"{count:,} of {lines:,} rows ({count / lines:.0%})"
