"""What files say of orders: whose an amount is, which values are sales, what is returned; found, or asked about."""

import pytest
import yaml

from flows.errors import BadInput
from flows.settings import CONNECTIONS
from flows.sources.connections import read_connections
from flows.sources.words import plain


@pytest.fixture
def read(land):
    """read(header, rows, **stream): the landing of a file of these comma-separated lines."""

    def read(header, rows, **stream):
        return land("\n".join([header, *rows, ""]), **stream)

    return read


LINES = "order_id,customer_id,order_date,sku,amount"


def lines(*orders):
    """Lines of orders that are given as the amounts of their lines."""
    return [
        f"{number},C{number % 3},2024-01-{number + 1:02},S{place},{amount}"
        for number, amounts in enumerate(orders)
        for place, amount in enumerate(amounts)
    ]


def test_an_amount_that_repeats_on_each_line_of_an_order_is_the_orders(read):
    landing = read(LINES, lines([30, 30], [12], [7.5, 7.5, 7.5], [18, 18], [44]))
    assert landing.mappings[0].columns["order_total"] == "amount"
    assert "amount" not in landing.mappings[0].columns
    assert "amount is the total of the order, written on every line" in landing.notes[0]


def test_an_amount_on_the_first_line_only_is_the_orders(read):
    landing = read(LINES, lines([30, ""], [12], [7.5, "", ""], [18, ""], [44]))
    assert landing.mappings[0].columns["order_total"] == "amount"
    assert "written only on the first line" in landing.notes[0]


def test_amounts_that_differ_within_orders_are_the_lines(read):
    landing = read(LINES.replace("amount", "total"), lines([30, 12], [12], [7.5, 8, 9], [18, 18], [44, 1]))
    assert landing.mappings[0].columns["amount"] == "total"


def test_a_shop_with_one_price_sells_lines_not_totals(read):
    assert read(LINES, lines([10, 10], [10], [10, 10, 10], [10, 10])).mappings[0].columns["amount"] == "amount"


def test_an_amount_that_may_be_either_is_asked_about_with_the_entry_to_write(read):
    with pytest.raises(BadInput, match="same on all lines of an order in 3 orders, and differs in 1") as refused:
        read(LINES, lines([30, 30], [12, 12], [7.5, 7.5], [18, 17], [44]))
    written = yaml.safe_load(str(refused.value).split("\n\n", 1)[1])
    (entry,) = written.values()
    assert entry["order_lines"]["columns"]["order_total"] == "amount"


def test_what_is_answered_is_not_asked_again(read):
    columns = {"order_id": "order_id", "customer_id": "customer_id", "ordered_at": "order_date", "amount": "amount"}
    landing = read(LINES, lines([30, 30], [12, 12], [7.5, 7.5], [18, 17]), columns=columns)
    assert landing.mappings[0].columns["amount"] == "amount"


CHANGES = "order_id,customer_id,created_at,status,total"


def changes(*ends, newest_first=False):
    """Rows of orders that are packed, then end so, each a day later; in the file's order or the other way round."""
    rows = [
        f"{number},C{number % 3},2024-01-{number + day:02},{word},{10 + number}"
        for number, end in enumerate(ends)
        for day, word in enumerate(("Hurrah", "packed", end), 1)
    ]
    return rows[::-1] if newest_first else rows


@pytest.mark.parametrize("newest_first", [False, True])
def test_rows_that_are_changes_of_an_order_count_once_by_the_last_status(read, newest_first):
    landing = read(CHANGES, changes("delivered", "cancelled", "delivered", "refunded", newest_first=newest_first))
    orders = landing.mappings[0].orders
    assert orders.changes == ("newest_first" if newest_first else "oldest_first")
    assert set(orders.sold["status"]) == {"packed", "delivered", "refunded"}
    assert orders.given_back == {"status": ["refunded"]}
    assert "rows of an order are its changes: it counts once, on its first day, by its last status" in landing.notes
    assert any("that do not: cancelled (1)" in note for note in landing.notes)


def test_a_status_that_ends_an_order_has_to_be_known(read):
    with pytest.raises(BadInput, match=r"'Hurrah' \(1 lines\)"):
        read(CHANGES, [*changes("delivered", "delivered"), "7,C1,2024-01-09,Hurrah,9"])


def test_lines_whose_statuses_differ_at_one_moment_are_no_changes(read):
    rows = [f"{n},C1,2024-01-1{n},{word},{5 + n}" for n in range(4) for word in ("shipped", "delivered")]
    assert read(CHANGES, rows).mappings[0].orders.changes == ""


def test_a_total_that_repeats_on_several_days_is_asked_about(read):
    rows = [f"{n},C1,2024-0{month}-1{n},{5 + n}" for n in range(4) for month in (1, 2)]
    with pytest.raises(BadInput, match="is that one sale, or one on each of these days") as refused:
        read(CHANGES.replace("status,", ""), rows)
    (entry,) = yaml.safe_load(str(refused.value).split("\n\n", 1)[1]).values()
    landing = read(CHANGES.replace("status,", ""), rows, **entry["order_lines"])
    assert landing.mappings[0].orders.changes == "first_day"


PRICES = "order_id,customer_id,order_date,sku,quantity,price"


def priced(price):
    """Lines of four products in several quantities, at what `price` makes of a piece's price and the quantity."""
    return [
        f"{number},C1,2024-01-{number + 1:02},S{number % 4},{1 + number // 4},{price(5 + number % 4, 1 + number // 4)}"
        for number in range(12)
    ]


def test_a_price_that_grows_with_the_quantity_is_the_lines(read):
    landing = read(PRICES, priced(lambda piece, pieces: piece * pieces))
    assert landing.mappings[0].columns["amount"] == "price"
    assert "price grows with the quantity: it is the price of the line, not of a piece" in landing.notes


def test_a_price_that_does_not_is_a_pieces(read):
    assert read(PRICES, priced(lambda piece, _: piece)).mappings[0].columns["unit_price"] == "price"


def test_an_amount_that_does_not_grow_with_the_quantity_is_asked_about(read):
    with pytest.raises(BadInput, match="same for one piece of a product as for several"):
        read(PRICES.replace("price", "amount"), priced(lambda piece, _: piece))


STATUS = "order_id,customer_id,order_date,total,status"


def test_statuses_of_several_languages_are_known_and_the_rest_is_said(read):
    words = ("Bezahlt", "Livré", "completado", "Storniert", "Fehlgeschlagen", "En attente de paiement", "REFUNDED")
    landing = read(STATUS, [f"{n},C{n},2024-01-1{n},5,{word}" for n, word in enumerate(words)])
    assert set(landing.mappings[0].orders.sold["status"]) == {"Bezahlt", "Livré", "completado"}
    assert "that do not: " in landing.notes[0]


def test_unknown_values_stop_with_the_lines_to_write(read):
    rows = [f"{n},C{n},2024-01-1{n},5,{word}" for n, word in enumerate(("paid", "Stufe: 7", "Stufe: 7", "it's #9"))]
    with pytest.raises(BadInput, match=r"'Stufe: 7' \(2 lines\), \"it's #9\" \(1 lines\)") as refused:
        read(STATUS, rows)
    (entry,) = yaml.safe_load(str(refused.value).split("\n\n", 1)[1]).values()
    assert entry["order_lines"]["status"] == {"sold": ["Stufe: 7", "it's #9"]}
    landing = read(STATUS, rows, status={"sold": ["stufe 7"], "not_sold": ["it's #9"]})
    assert landing.mappings[0].orders.sold["status"] == ["Stufe: 7", "paid"]


def test_refunded_orders_count_where_rows_give_them_back_and_not_where_nothing_does(read):
    rows = ["1,A,2024-01-10,5,refunded", "2,A,2024-01-11,5,paid"]
    assert read(STATUS, rows).mappings[0].orders.sold["status"] == ["paid"]
    assert set(read(STATUS, [*rows, "R1,A,2024-01-12,-5,paid"]).mappings[0].orders.sold["status"]) == {
        "paid",
        "refunded",
    }


def test_partly_refunded_orders_count_in_full_with_a_word_where_nothing_says_how_much(read):
    landing = read(STATUS, ["1,A,2024-01-10,5,partially_refunded", "2,A,2024-01-11,5,paid"])
    assert any("no column says how much was given back" in note for note in landing.notes)


def test_a_type_tells_returns_from_sales_and_fees(read):
    rows = [f"{n},A,2024-01-1{n},5,{word}" for n, word in enumerate(("Verkauf", "Gutschrift", "Gebühr"))]
    types = read(STATUS.replace("status", "type"), rows).mappings[0].orders.line_types
    assert types == {"sales": ["Verkauf"], "returns": ["Gutschrift"], "other": ["Gebühr"]}


def test_a_refund_row_of_the_same_amount_is_no_second_line_of_its_order(read):
    rows = [f"{n},A,2024-01-1{n},{10 + n},{word}" for n in range(5) for word in ("sale", "refund")[: 1 + n % 2]]
    columns = read(STATUS.replace("total", "amount").replace("status", "type"), rows).mappings[0].columns
    assert columns["amount"] == "amount"


def test_lines_without_a_status_are_said_to_count(read):
    landing = read(STATUS, ["1,A,2024-01-10,5,paid", "2,A,2024-01-11,5,", "3,A,2024-01-12,5,"])
    assert "status is blank in 2 lines, which count as sold" in landing.notes


def test_a_type_of_something_else_is_not_used(read):
    landing = read(STATUS.replace("status", "type"), ["1,A,2024-01-10,5,T-shirt", "2,A,2024-01-11,5,Mug"])
    assert "line_type" not in landing.mappings[0].columns


def test_what_only_the_first_line_says_is_said_of_the_order(read):
    header = "Bestellnummer,E-Mail,Bestelldatum,Artikelnummer,Menge,Einzelpreis,Gesamtbetrag,Bestellstatus,Währung"
    landing = read(header, [
        "1,a@x.de,2024-01-10,X,1,5,12,Bezahlt,EUR", "1,,,Y,1,7,,,", "2,b@x.de,2024-01-11,X,1,5,5,Storniert,EUR",
        "3,a@x.de,2024-01-12,Y,2,7,19,Bezahlt,EUR", "3,,,X,1,5,,,",
    ])  # fmt: skip
    orders = landing.mappings[0].orders
    assert {"ordered_at", "currency", "status", "order_total"} <= set(orders.inherited)
    assert not orders.continued


def test_signs_and_names_of_currencies_are_codes(read):
    landing = read(STATUS.replace("status", "order_currency"), ["1,A,2024-01-10,5,€", "2,B,2024-01-11,5,usd"])
    assert landing.mappings[0].orders.currency_codes == {"€": "EUR"}


KNOWN = read_connections(CONNECTIONS)


@pytest.mark.parametrize("values", [KNOWN.recognised_values.status, KNOWN.recognised_values.line_type])
def test_no_word_means_two_things(values):
    meanings = [{plain(word) for word in getattr(values, name)} for name in type(values).model_fields]
    assert sum(map(len, meanings)) == len(set().union(*meanings))


@pytest.mark.parametrize("header", ["amount", "total"])
def test_a_total_that_stands_beside_the_lines_of_its_order_is_asked_about_and_not_counted_twice(land, header):
    rows = "".join(
        f"order,{n},C{n},2024-01-0{n},{3 * n}\nitem,{n},C{n},2024-01-0{n},{n}\nitem,{n},C{n},2024-01-0{n},{2 * n}\n"
        for n in range(1, 9)
    )
    content = f"record_type,order_id,customer_id,date,{header}\n{rows}"
    with pytest.raises(
        BadInput, match=r"'order' is as much as the other rows of its order together, in 8 of 8"
    ) as said:
        land(content)
    assert "line_type: {other: [order], sales: [item]}  # count item" in str(said.value)
    columns = {"order_id": "order_id", "customer_id": "customer_id", "ordered_at": "date", "amount": header}
    told = land(
        content, columns=columns | {"line_type": "record_type"}, line_type={"sales": ["item"], "other": ["order"]}
    )
    assert told.mappings[0].orders.line_types["sales"] == ["item"]
