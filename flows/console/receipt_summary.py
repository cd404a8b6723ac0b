"""The receipt of a run in words, and its months as a table to be held against the shop's own report."""

from collections.abc import Iterator, Sequence

from flows.adapters.marts.left_out import LeftOut
from flows.console.amounts import money, percent
from flows.sources.receipt import Contacts, Month, Products, Receipt, Rejection, Totals, example

MONTHS_SHOWN = 13  # with the same month a year before
COLUMNS = ("month", "orders", "gross", "refunds", "net")


def describe_receipt(receipt: Receipt) -> Iterator[str]:
    """A line for each currency, for each reason why rows are not used, and for what belongs to nobody."""
    for of in receipt.totals:
        yield from _totals(of)
    yield from map(_rejection, receipt.rejections)
    if not receipt.rejections:
        yield "nothing was rejected"
    if of_contacts := receipt.contacts.contacts:
        yield (
            f"{of_contacts:,} contacts, {receipt.contacts.of_nobody:,} of them of nobody who has ordered;"
            f" {receipt.contacts.without_contact:,} customers have no contact"
        )
        yield from _consents(receipt.contacts)
    if receipt.products:
        yield from _products(receipt.products)


def _consents(of: Contacts) -> Iterator[str]:
    for purpose, yes, no, what_then in (
        ("e-mails", of.consent_to_email, of.opted_out, "who may be written to"),
        ("advertising", of.consent_to_advertising, of.refuse_advertising, "which is no consent"),
    ):
        unknown = of.contacts - yes - no
        yield f"consent to {purpose}: given by {yes:,}, refused by {no:,}, not known of {unknown:,}, {what_then}"


def describe_left_out(of: LeftOut, currency: str | None) -> Iterator[str]:
    """What counts for nothing although it was read without fault."""
    if of.unmatched_returns:
        yield (
            f"{of.unmatched_returns:,} refund{'s' if of.unmatched_returns > 1 else ''} found no sale for"
            f" {money(of.unmatched_amount, currency)}, which is taken from nobody"
            " (intermediate.int_returns without purchased_on)"
        )
    if of.returned_customers:
        yield (
            f"{of.returned_customers:,} customer{'s' if of.returned_customers > 1 else ''} sent back all that they had"
            f" bought ({money(of.returned_amount, currency)}): they have no purchase, and no segment or score"
        )


def _totals(of: Totals) -> Iterator[str]:
    yield (
        f"{of.orders:,} orders of {of.customers:,} customers in {of.lines:,} rows, {of.first_on} to {of.last_on}:"
        f" {money(of.gross, of.currency)} gross, {money(of.refunds, of.currency)} refunds,"
        f" {money(of.net, of.currency)} net"
    )
    share = of.most_sales / of.gross if of.gross else 0
    yield (
        f"the median order is {money(of.median_order, of.currency, 2)}, the largest"
        f" {money(of.largest_order, of.currency, 2)}; the largest customer has {percent(share)} of the sales"
    )
    if of.refunds_of_nobody:
        yield f"{money(of.refunds_of_nobody, of.currency)} of the refunds are of customers without any sale here"


def _products(of: Products) -> Iterator[str]:
    yield f"{of.products:,} products, {of.inactive:,} of them not active, which nobody is shown"
    for known in of.coverage:
        line = f"the table of products covers {known.covered:.1%} of {money(known.amount, known.currency)} sales"
        if known.unknown_lines:
            line += (
                f"; {known.unknown_lines:,} rows ({money(known.unknown_amount, known.currency)}) are of"
                f" {known.unknown_skus:,} skus that it does not have, for example {known.example!r}"
            )
        if known.lines_without_sku:
            line += (
                f"; {known.lines_without_sku:,} rows ({money(known.amount_without_sku, known.currency)}) name no sku"
            )
        yield line


def _rejection(row: Rejection) -> str:
    worth = f" ({money(row.amount, row.currency)})" if row.amount else ""
    return f"rejected {row.rows:,} row{'s' if row.rows > 1 else ''}{worth}: {row.reason}, {example(row)}"


def months_table(receipt: Receipt) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Columns and rows: the last months, and what was before them in one row."""
    rows: list[Sequence[str]] = []
    for of in receipt.totals:
        months = [month for month in receipt.months if month.currency == of.currency]
        earlier, shown = months[:-MONTHS_SHOWN], months[-MONTHS_SHOWN:]
        if earlier:
            rows.append(_row(f"before {shown[0].month:%Y-%m}", earlier))
        rows += [_row(f"{month.month:%Y-%m}", [month]) for month in shown]
        rows.append(_row("in all", months))
    return COLUMNS, rows


def _row(name: str, months: Sequence[Month]) -> Sequence[str]:
    gross, refunds = sum(of.gross for of in months), sum(of.refunds for of in months)
    amounts = [money(amount, months[0].currency) for amount in (gross, refunds, gross - refunds)]
    return (name, f"{sum(of.orders for of in months):,}", *amounts)
