"""Exports as shop systems write them, of one small shop: headers, first-line totals, statuses and refunds of each."""
# ruff: noqa: DTZ001  the shop's local time has no zone

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

Row = dict[str, str]


@dataclass(frozen=True)
class Item:
    sku: str
    pieces: int
    price: Decimal


@dataclass(frozen=True)
class Sold:
    """An order; `state` is paid, cancelled or refunded. `given_back`: of a paid one, in part."""

    number: int
    customer: int
    at: datetime
    items: Sequence[Item]
    state: str = "paid"
    given_back: Decimal = Decimal(0)

    @property
    def email(self) -> str:
        return f"customer{self.customer}@example.com"

    @property
    def total(self) -> Decimal:
        return sum((item.pieces * item.price for item in self.items), Decimal(0))

    @property
    def refunded(self) -> Decimal:
        return self.total if self.state == "refunded" else self.given_back

    @property
    def net(self) -> Decimal:
        return Decimal(0) if self.state == "cancelled" else self.total - self.refunded


TEA, POT, CUP = Item("TEA", 2, Decimal("4.50")), Item("POT", 1, Decimal("29.90")), Item("CUP", 3, Decimal("7.25"))
ORDERS = (
    Sold(1001, 1, datetime(2024, 1, 31, 10, 15), (TEA, POT)),
    Sold(1002, 2, datetime(2024, 2, 1, 9, 0), (CUP,)),
    Sold(1003, 1, datetime(2024, 2, 20, 18, 30), (TEA, POT, CUP), given_back=Decimal("10.05")),
    Sold(1004, 3, datetime(2024, 3, 2, 12, 0), (POT, CUP), state="cancelled"),
    Sold(1005, 3, datetime(2024, 3, 13, 12, 0), (POT,)),
    Sold(1006, 4, datetime(2024, 3, 21, 8, 45), (TEA, CUP), state="refunded"),
    Sold(1007, 4, datetime(2024, 4, 15, 8, 45), (Item("TEA", 1, Decimal("4.50")), Item("CUP", 1, Decimal("7.25")))),
    Sold(1008, 5, datetime(2024, 4, 30, 20, 0), (Item("POT", 2, Decimal("29.90")), TEA)),
)
NET = sum((order.net for order in ORDERS), Decimal(0))


def shopify() -> str:
    """The order's fields on its first line only, but for number, address and date."""
    words = {"paid": "paid", "cancelled": "voided", "refunded": "refunded"}
    rows: list[Row] = []
    for order in ORDERS:
        for place, item in enumerate(order.items):
            row = {
                "Name": f"#{order.number}",
                "Email": order.email,
                "Created at": f"{order.at} +0100",
                "Lineitem quantity": str(item.pieces),
                "Lineitem name": item.sku.title(),
                "Lineitem price": str(item.price),
                "Lineitem sku": item.sku,
            }
            if place == 0:
                row |= {
                    "Financial Status": "partially_refunded" if order.given_back else words[order.state],
                    "Fulfillment Status": "fulfilled",
                    "Accepts Marketing": "no",
                    "Currency": "EUR",
                    "Total": str(order.total),
                    "Refunded Amount": str(order.refunded),
                    "Billing Country": "DE",
                    "Cancelled at": f"{order.at} +0100" if order.state == "cancelled" else "",
                }
            rows.append(row)
    return _csv(rows, ["Name", "Email", "Financial Status", "Lineitem quantity", "Lineitem price", "Total"])


def woocommerce() -> str:
    words = {"paid": "completed", "cancelled": "cancelled", "refunded": "refunded"}
    return _csv(
        [
            {
                "order_id": str(order.number),
                "order_date": str(order.at),
                "status": words[order.state],
                "order_total": str(order.total),
                "refunded_total": str(order.refunded),
                "order_currency": "EUR",
                "customer_id": "0",
                "billing_email": order.email,
                "item_id": f"{order.number}{place}",
                "item_sku": item.sku,
                "item_quantity": str(item.pieces),
                "item_total": str(item.pieces * item.price),
            }
            for order in ORDERS
            for place, item in enumerate(order.items)
        ]
    )


def woocommerce_advanced() -> str:
    words = {"paid": "Completed", "cancelled": "Cancelled", "refunded": "Refunded"}
    return _csv(
        [
            {
                "Order Number": str(order.number),
                "Order Status": words[order.state],
                "Order Date": str(order.at)[:16],
                "Email (Billing)": order.email,
                "Customer User ID": str(order.customer),
                "SKU": item.sku,
                "Quantity": str(item.pieces),
                "Item Cost": str(item.price),
                "Order Total Amount": str(order.total),
                "Order Refund Amount": str(order.refunded),
                "Country Code (Billing)": "DE",
            }
            for order in ORDERS
            for item in order.items
        ]
    )


def prestashop() -> str:
    """A list of orders in French, where a customer is a name; only refunds of whole orders are known."""
    words = {"paid": "Paiement accepté", "cancelled": "Annulé", "refunded": "Remboursé"}
    return _csv(
        [
            {
                "ID": str(order.number),
                "Reference": f"XKB{order.number}",
                "New client": "0",
                "Delivery": "France",
                "Customer": f"A. Client{order.customer}",
                "Total": f"{_comma(order.total - order.given_back)} €",
                "Payment": "Carte",
                "Status": words[order.state],
                "Date": str(order.at),
            }
            for order in ORDERS
        ],
        delimiter=";",
    )


def prestashop_sql() -> str:
    words = {"paid": "Delivered", "cancelled": "Canceled", "refunded": "Refunded"}
    return _csv(
        [
            {
                "id_order": str(order.number),
                "id_customer": str(order.customer),
                "date_add": str(order.at),
                "total_paid_tax_incl": f"{order.total - order.given_back}0000",
                "order_state": words[order.state],
                "product_reference": item.sku,
                "product_quantity": str(item.pieces),
                "unit_price_tax_incl": str(item.price),
            }
            for order in ORDERS
            for item in order.items
        ]
    )


def magento() -> str:
    words = {"paid": "Complete", "cancelled": "Canceled", "refunded": "Closed"}
    return _csv(
        [
            {
                "ID": f"00000{order.number}",
                "Purchase Point": "Main Website",
                "Purchase Date": f"{order.at:%b %d, %Y %I:%M:%S %p}",
                "Bill-to Name": "A Customer",
                "Grand Total (Base)": f"€{order.total}",
                "Grand Total (Purchased)": f"€{order.total}",
                "Status": words[order.state],
                "Customer Email": order.email,
                "Total Refunded": f"€{order.refunded}",
            }
            for order in ORDERS
        ]
    )


def bigcommerce() -> str:
    words = {"paid": "Completed", "cancelled": "Cancelled", "refunded": "Refunded"}
    return _csv(
        [
            {
                "Order ID": str(order.number),
                "Customer ID": str(order.customer),
                "Customer Email": order.email,
                "Order Date": f"{order.at:%d/%m/%Y}",
                "Order Currency Code": "EUR",
                "Order Status": "Partially Refunded" if order.given_back else words[order.state],
                "Order Total (inc tax)": str(order.total),
                "Refunded Amount": str(order.refunded),
            }
            for order in ORDERS
        ]
    )


def stripe() -> str:
    words = {"paid": "Paid", "cancelled": "Failed", "refunded": "Refunded"}
    return _csv(
        [
            {
                "id": f"ch_{order.number}",
                "Created date (UTC)": str(order.at),
                "Amount": _comma(order.total),
                "Amount Refunded": _comma(order.refunded),
                "Currency": "eur",
                "Captured": "true",
                "Refunded date (UTC)": f"{order.at:%Y-%m-28} 12:00:00" if order.refunded else "",
                "Status": words[order.state],
                "Customer ID": f"cus_{order.customer}",
                "Customer Email": order.email,
            }
            for order in ORDERS
        ]
    )


def square_items() -> str:
    """Refunds are rows under numbers of their own, with negative pieces."""
    rows: list[Row] = []
    for order in (order for order in ORDERS if order.state != "cancelled"):
        common = {"Date": str(order.at.date()), "Time": f"{order.at:%H:%M:%S}", "Customer ID": f"SQ{order.customer}"}
        rows += [
            common
            | {
                "Item": item.sku.title(),
                "Qty": f"{item.pieces}.0",
                "SKU": item.sku,
                "Event Type": "Payment",
                "Gross Sales": f"€{item.pieces * item.price}",
                "Discounts": "€0.00",
                "Net Sales": f"€{item.pieces * item.price}",
                "Transaction ID": f"T{order.number}",
            }
            for item in order.items
        ]
        if order.refunded:
            rows.append(
                common
                | {
                    "Item": "Custom Amount",
                    "Qty": "-1.0",
                    "Gross Sales": f"-€{order.refunded}",
                    "Event Type": "Refund",
                    "Discounts": "€0.00",
                    "Net Sales": f"-€{order.refunded}",
                    "Transaction ID": f"R{order.number}",
                }
            )
    return _csv(rows)


def square_transactions() -> str:
    rows: list[Row] = []
    for order in (order for order in ORDERS if order.state != "cancelled"):
        for number, amount, event in (
            (f"T{order.number}", order.total, "Payment"),
            (f"R{order.number}", -order.refunded, "Refund"),
        ):
            if amount:
                rows.append(
                    {
                        "Date": str(order.at.date()),
                        "Time": f"{order.at:%H:%M:%S}",
                        "Gross Sales": f"${amount}",
                        "Net Sales": f"${amount}",
                        "Total Collected": f"${amount}",
                        "Transaction ID": number,
                        "Event Type": event,
                        "Customer ID": f"SQ{order.customer}",
                    }
                )
    return _csv(rows)


def amazon() -> str:
    """The price of a line, not of a piece; none where the line was cancelled."""
    return _csv(
        [
            {
                "amazon-order-id": f"303-{order.number}-7",
                "purchase-date": f"{order.at:%Y-%m-%dT%H:%M:%S}+00:00",
                "order-status": "Cancelled" if order.state == "cancelled" else "Shipped",
                "item-status": "Cancelled" if order.state == "cancelled" else "Shipped",
                "sku": item.sku,
                "quantity": str(item.pieces),
                "currency": "EUR",
                "buyer-email": order.email,
                "ship-country": "DE",
                "item-price": "" if order.state == "cancelled" else str(item.pieces * item.price),
            }
            for order in ORDERS
            for item in order.items
        ],
        delimiter="\t",
    )


def ebay() -> str:
    return _csv(
        [
            {
                "Sales Record Number": str(order.number),
                "Order Number": f"05-{order.number}",
                "Buyer Username": f"b{order.customer}",
                "Buyer Email": order.email,
                "Buyer Country": "Germany",
                "Custom Label": item.sku,
                "Quantity": str(item.pieces),
                "Sold For": f"${item.price}",
                "Total Price": f"${order.total}",
                "Sale Date": f"{order.at:%b-%d-%y}",
            }
            for order in ORDERS
            for item in order.items
        ]
    )


def etsy_orders() -> str:
    return _csv(
        [
            {
                "Sale Date": f"{order.at:%m/%d/%y}",
                "Order ID": str(order.number),
                "Buyer User ID": f"buyer{order.customer}",
                "Number of Items": "1",
                "Ship Country": "Germany",
                "Currency": "EUR",
                "Order Value": str(order.total),
                "Discount Amount": "0",
                "Order Total": str(order.total),
                "Order Net": str(order.total),
            }
            for order in ORDERS
        ]
    )


def etsy_items() -> str:
    return _csv(
        [
            {
                "Sale Date": f"{order.at:%m/%d/%y}",
                "Item Name": item.sku.title(),
                "Buyer": f"buyer{order.customer}",
                "Quantity": str(item.pieces),
                "Price": str(item.price),
                "Item Total": str(item.pieces * item.price),
                "Currency": "EUR",
                "Transaction ID": f"{order.number}{place}",
                "Order ID": str(order.number),
                "SKU": item.sku,
                "Ship Country": "Germany",
            }
            for order in ORDERS
            for place, item in enumerate(order.items)
        ]
    )


def odoo() -> str:
    """Lines below an order's first have nothing of the order."""
    words = {"paid": "Sales Order", "cancelled": "Cancelled", "refunded": "Sales Order"}
    rows: list[Row] = []
    for order in ORDERS:
        for place, item in enumerate(order.items):
            row = {
                "Order Lines/Product": item.sku,
                "Order Lines/Quantity": str(item.pieces),
                "Order Lines/Unit Price": str(item.price),
                "Order Lines/Subtotal": str(item.pieces * item.price),
            }
            if place == 0:
                row |= {
                    "Order Reference": f"S{order.number}",
                    "Order Date": str(order.at),
                    "Total": str(order.total),
                    "Customer": f"Customer {order.customer}",
                    "Status": words[order.state],
                }
            rows.append(row)
    return _csv(rows, ["Order Reference", "Order Date", "Customer", "Total", "Status"])


def olist() -> str:
    words = {"paid": "delivered", "cancelled": "canceled", "refunded": "delivered"}
    return _csv(
        [
            {
                "order_id": f"o{order.number}",
                "customer_id": f"c{order.number}",
                "order_status": words[order.state],
                "order_purchase_timestamp": str(order.at),
                "order_item_id": str(place + 1),
                "product_id": item.sku,
                "price": str(item.pieces * item.price),
                "freight_value": "8.72",
                "customer_unique_id": f"u{order.customer}",
                "customer_state": "SP",
            }
            for order in ORDERS
            for place, item in enumerate(order.items)
        ]
    )


def online_retail(invoice: str = "InvoiceNo", price: str = "UnitPrice", customer: str = "CustomerID") -> str:
    """A return is an invoice that begins with C, of a negative quantity."""
    rows: list[Row] = []
    for order in (order for order in ORDERS if order.state != "cancelled"):
        rows += [
            {
                invoice: f"{'C' if sign == '-' else ''}{order.number}",
                "StockCode": item.sku,
                "Description": item.sku,
                "Quantity": f"{sign}{item.pieces}",
                "InvoiceDate": f"{order.at:%m/%d/%Y %H:%M}",
                price: str(item.price),
                customer: f"{order.customer}.0",
                "Country": "United Kingdom",
            }
            for sign in (("", "-") if order.state == "refunded" else ("",))
            for item in order.items
        ]
    return _csv(rows)


def online_retail_ii() -> str:
    return online_retail("Invoice", "Price", "Customer ID")


def _comma(amount: Decimal) -> str:
    return str(amount).replace(".", ",")


def _csv(rows: Sequence[Row], first: Sequence[str] = (), delimiter: str = ",") -> str:
    names = list(dict.fromkeys((*first, *(name for row in rows for name in row))))
    written = io.StringIO()
    writer = csv.DictWriter(written, names, restval="", delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()


_GROSS = sum((order.total for order in ORDERS if order.state != "cancelled"), Decimal(0))
_LISTED = sum((order.total for order in ORDERS), Decimal(0))
_REFUNDED_WHOLE = sum((order.total for order in ORDERS if order.state == "refunded"), Decimal(0))
# platform → its export, and what it says the shop has sold less what was given back; not all of them say all
EXPORTS: Mapping[str, tuple[str, Decimal]] = {
    "Shopify": (shopify(), NET),
    "WooCommerce (Customer/Order CSV Export)": (woocommerce(), NET),
    "WooCommerce (Advanced Order Export)": (woocommerce_advanced(), NET),
    "PrestaShop (list of orders)": (prestashop(), NET),
    "PrestaShop (SQL manager)": (prestashop_sql(), NET),
    "Magento": (magento(), NET),
    "BigCommerce": (bigcommerce(), NET),
    "Stripe (payments)": (stripe(), NET),
    "Square (items)": (square_items(), NET),
    "Square (transactions)": (square_transactions(), NET),
    "Amazon (order report)": (amazon(), _GROSS),
    "eBay (orders report)": (ebay(), _LISTED),
    "Etsy (orders)": (etsy_orders(), _LISTED),
    "Etsy (order items)": (etsy_items(), _LISTED),
    "Odoo (sales orders)": (odoo(), _GROSS),
    "Olist (orders joined with items)": (olist(), _GROSS),
    "Online Retail (UCI, Kaggle)": (online_retail(), _GROSS - _REFUNDED_WHOLE),
    "Online Retail II (UCI, Kaggle)": (online_retail_ii(), _GROSS - _REFUNDED_WHOLE),
}
