"""Columns that say, in one way or another, which lines of a file are no sales."""

import pytest

from flows.errors import BadInput

HEADER = "order_id,customer_id,date,amount"


@pytest.fixture
def land_lines(land):
    return lambda header, lines, **stream: land("\n".join([header, *lines, ""]), **stream)


@pytest.fixture
def land_with(land_lines):
    """Lands four orders with one more column."""

    def landed(header, values, **stream):
        lines = [f"{n},c{n},2024-01-0{n},{n}.50,{value}" for n, value in enumerate(values, start=1)]
        return land_lines(f"{HEADER},{header}", lines, **stream)

    return landed


@pytest.mark.parametrize(
    ("header", "values", "column", "sold"),
    [
        ("Storno", ["Nein", "Ja", "Nein", "Nein"], "is_cancelled", ["Nein"]),
        ("cancelled", ["FALSE", "TRUE", "FALSE", ""], "is_cancelled", ["FALSE"]),
        ("annulé", ["", "X", "", ""], "is_cancelled", []),
        ("isTestOrder", ["0", "0", "1", "0"], "is_test", ["0"]),
        ("bezahlt", ["ja", "nein", "ja", "ja"], "is_paid", ["ja"]),
        ("line status", ["Shipped", "Cancelled", "Shipped", "Shipped"], "fulfilment_status", ["Shipped"]),
    ],
)
def test_a_flag_of_cancelled_test_and_unpaid_orders_is_read_in_several_languages(
    header, values, column, sold, land_with
):
    mapping = land_with(header, values).mappings[0]
    assert mapping.columns[column] == header
    assert mapping.orders.sold == {column: sold}


def test_a_column_of_the_days_on_which_orders_were_cancelled_is_no_flag(land_with):
    columns = land_with("cancelled", ["", "2024-02-01", "", "2024-02-03"]).mappings[0].columns
    assert columns["cancelled_at"] == "cancelled"
    assert "is_cancelled" not in columns


def test_a_flag_of_other_words_is_asked_about_and_can_be_declared(land_with):
    values = ["aktiv", "ja", "aktiv", "aktiv"]
    with pytest.raises(BadInput, match=r"'Storno' was taken for is_cancelled.*'aktiv' \(3 lines\)"):
        land_with("Storno", values)
    columns = {"customer_id": "customer_id", "ordered_at": "date", "amount": "amount", "is_cancelled": "Storno"}
    mapping = land_with("Storno", values, columns=columns, status={"sold": ["aktiv"]}).mappings[0]
    assert mapping.orders.sold == {"is_cancelled": ["aktiv"]}


def test_a_blank_beside_paid_is_asked_about(land_with):
    with pytest.raises(BadInput, match="'paid' is blank in some lines"):
        land_with("paid", ["x", "", "x", "x"])


@pytest.mark.parametrize(
    ("header", "values", "says"),
    [
        ("Retoure", ["Nein", "Ja", "Nein", "Nein"], "status: Retoure"),
        ("refunded", ["no", "yes", "no", "no"], "status: refunded"),
        ("orderStatusID", ["2", "4", "2", "2"], "status: orderStatusID"),
        ("returned_quantity", ["0", "1", "0", "0"], "line_type: returned_quantity"),
        ("Refund total", ["0.00", "1.50", "0.00", "0.00"], "refunded_amount: Refund total"),
        ("Reason of cancellation", ["", "too late", "", ""], "line_type: Reason of cancellation"),
    ],
)
def test_what_may_say_that_lines_are_no_sales_is_asked_about(header, values, says, land_with):
    with pytest.raises(BadInput, match=f"(?s){header}' may say that lines are no sales.*{says}"):
        land_with(header, values)


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("Customer status", ["new", "returning", "new", "new"]),
        ("Refund", ["0.00", "0.00", "0.00", "0.00"]),
        ("Order status URL", ["a", "b", "c", "d"]),
        ("Return policy", ["30 days", "14 days", "14 days", "14 days"]),
        ("test", ["A", "B", "A", "B"]),
        ("paid", ["1.50", "2.50", "3.50", "4.50"]),
    ],
)
def test_what_says_nothing_about_sales_is_not_asked_about(header, values, land_with):
    assert not land_with(header, values).mappings[0].orders.sold


def test_what_somebody_has_left_out_of_the_columns_is_not_asked_about(land_with):
    columns = {"customer_id": "customer_id", "ordered_at": "date", "amount": "amount"}
    assert not land_with("Storno", ["ja", "nein", "?", ""], columns=columns).mappings[0].orders.sold


def test_a_payment_is_a_sale_only_where_nothing_else_is(land_with):
    alone = land_with("type", ["payment", "payment", "refund", "payment"]).mappings[0].orders.line_types
    assert alone == {"sales": ["payment"], "returns": ["refund"], "other": []}
    beside = land_with("type", ["invoice", "payment", "invoice", "payment"]).mappings[0].orders.line_types
    assert beside == {"sales": ["invoice"], "returns": [], "other": ["payment"]}


def test_names_of_people_are_no_order_numbers_and_codes_of_vouchers_no_discount(land_lines):
    names = land_lines("Name,Email,Date,Total", ["Ann,a@x.org,2024-01-01,5", "Ann,a@x.org,2024-02-01,6"])
    assert "order_id" not in names.mappings[0].columns
    codes = land_lines("order_id,customer_id,date,quantity,price,discount", ["1,a,2024-01-01,1,5.50,WELCOME"])
    assert "discount" not in codes.mappings[0].columns


def test_an_item_that_an_order_has_twice_is_a_product_and_no_line(land_lines):
    header = "order_id,customer_id,date,item_id,amount"
    lines = [f"{n},c{n},2024-01-01,{item},{n + place}.50" for n in range(9) for place, item in enumerate("xyx")]
    columns = land_lines(header, lines).mappings[0].columns
    assert columns["sku"] == "item_id"
    assert "order_line_id" not in columns
    of_lines = [f"{n},c{n},2024-01-01,{place},{n + place}.50" for n in range(9) for place in range(3)]
    assert land_lines(header, of_lines).mappings[0].columns.get("sku") is None


PRICED = "order_id,customer_id,date,quantity,price,discount"


def priced(discounts, lines_per_order=1):
    return [
        f"{n // lines_per_order},c{n // lines_per_order},2024-01-01,2,{n}.95,{discount}"
        for n, discount in enumerate(discounts)
    ]


@pytest.mark.parametrize(
    ("discounts", "lines_per_order", "says"),
    [
        (["0.1", "0"] * 20, 1, "is up to 0.1: is it money, or a share"),
        (["10", "0", "20"] * 10, 1, "is up to 20: is it money, or a share"),
        ([f"{n // 2}.25" for n in range(40)], 2, "the same on all lines of an order"),
    ],
)
def test_a_discount_that_may_be_a_share_or_the_orders_is_asked_about(discounts, lines_per_order, says, land_lines):
    with pytest.raises(BadInput, match=says):
        land_lines(PRICED, priced(discounts, lines_per_order))


@pytest.mark.parametrize("discounts", [["0"] * 20, ["1.25", "2.50", "0"] * 10, ["5"]])
def test_a_discount_in_money_is_not_asked_about(discounts, land_lines):
    assert land_lines(PRICED, priced(discounts)).mappings[0].columns["discount"] == "discount"
