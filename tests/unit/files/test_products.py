"""A table of products from a file: any shop system's export, with what it does not say."""

import pytest

from flows.errors import BadInput

SHOPIFY = "Handle,Title,Type,Published,Variant SKU,Variant Price,Status\ncup,Blue cup,Cups,true,A-1,9.50,archived\n"
WOOCOMMERCE = "ID;Type;SKU;Name;Published;Categories\n7;simple;A-1;Blaue Tasse;-1;Tassen\n"


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        (SHOPIFY, {"sku": "Variant SKU", "name": "Title", "category": "Type", "is_active": "Status"}),
        (WOOCOMMERCE, {"sku": "SKU", "name": "Name", "category": "Categories", "is_active": "Published"}),
        ("sku,name\nA,Cup\n", {"sku": "sku", "name": "name"}),
        (
            "Artikelnummer\tBezeichnung\tWarengruppe\tAktiv\nA\tTasse\tTassen\tja\n",
            {"sku": "Artikelnummer", "name": "Bezeichnung", "category": "Warengruppe", "is_active": "Aktiv"},
        ),
    ],
)
def test_the_columns_of_other_exports_are_recognised(land, content, columns):
    landed = land(content, "products.csv", "products")
    assert landed.kind == "products"
    assert landed.mappings[0].columns == columns
    assert landed.rows == 1


def test_a_file_without_a_number_of_the_product_is_refused_with_the_entry_to_write(land):
    with pytest.raises(BadInput, match=r"(?s)recognised as sku\..*with PRODUCTS=my_shop.*products:.*name: name"):
        land("name,colour\nCup,blue\n", "products.csv", "products")


def test_a_file_of_nothing_but_numbers_is_refused(land):
    with pytest.raises(BadInput, match="recognised as name or category or is_active"):
        land("sku,colour\nA,blue\n", "products.csv", "products")


def test_lines_that_are_no_table_are_counted_with_their_number(land, con):
    landed = land('sku,name\nA,Cup\nB,"Pot",9,9\n', "products.csv", "products")
    assert (landed.rows, landed.unreadable) == (1, 1)
    assert con.sql("select file, line from raw.unreadable_products").fetchall() == [("products.csv", 3)]
