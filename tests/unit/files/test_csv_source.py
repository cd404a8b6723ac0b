"""Files as shops export them: handled and reported, or refused with what to write."""

import gzip

import pytest
import yaml

from flows.errors import BadInput
from flows.sources.connections import Connection
from flows.sources.selection import Sources
from flows.steps.landing import mappings_of

PLAIN = "order_id,customer_id,ordered_at,amount\n1,A,2024-01-31,10.50\n2,B,2024-02-01,3\n"


def rows(con, query="select * exclude (_ab_source_file_url) from raw_shop.order_lines_as_text"):
    return con.sql(query).fetchall()


def test_every_value_lands_as_it_is_written(land, con):
    landing = land(PLAIN)
    assert (landing.rows, landing.unreadable) == (2, 0)
    assert rows(con) == [("1", "A", "2024-01-31", "10.50"), ("2", "B", "2024-02-01", "3")]


def test_rows_have_the_columns_that_airbyte_gives_them(land, con):
    land(PLAIN)
    columns = con.sql("select * from raw_shop.order_lines").columns
    assert columns[-4:] == [
        "_airbyte_raw_id", "_airbyte_extracted_at", "_airbyte_meta", "_airbyte_generation_id",
    ]  # fmt: skip
    assert con.sql("select count(distinct _airbyte_raw_id) from raw_shop.order_lines").fetchall() == [(2,)]


def test_a_gzipped_file_is_read_as_it_is(land):
    assert land(gzip.compress(PLAIN.encode()), "orders.csv.gz").rows == 2


@pytest.mark.parametrize(
    ("encoding", "note"),
    [("cp1252", "read as cp1252"), ("utf-16", "read as utf-16"), ("utf-16-le", "read as utf-16-le"), ("utf-8-sig", "")],
)
def test_other_encodings_are_read_and_reported(land, con, encoding, note):
    text = "order_id,customer_id,ordered_at,amount,country\n1,Müller,2024-01-31,1,Österreich\n"
    landing = land(text.encode(encoding))
    assert rows(con)[0][1] == "Müller"
    assert note in " ".join(landing.notes)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_are_found_and_reported(land, delimiter):
    landing = land(PLAIN.replace(",", delimiter))
    assert landing.rows == 2
    assert "separated by" in " ".join(landing.notes)


def test_common_headers_are_recognised_and_reported(land):
    landing = land("Invoice No;Customer ID;Invoice Date;Price;Qty;Colour\n1;A;2024-01-31;1.5;2;red\n")
    assert landing.mappings[0].columns == {
        "order_id": "Invoice No", "customer_id": "Customer ID", "ordered_at": "Invoice Date",
        "unit_price": "Price", "quantity": "Qty",
    }  # fmt: skip
    notes = " ".join(landing.notes)
    assert "Invoice Date as ordered_at" in notes
    assert "did not use Colour" in notes


def test_a_recognised_header_of_a_column_that_is_nearly_empty_does_not_count(land):
    header = "Receipt Number,Name,Customer ID,Email,order_time,date,amount\n"
    orders = "".join(f",#{n},{'A' if n == 1 else ''},a{n}@x.de,10:05,2024-01-0{n},1\n" for n in range(1, 6))
    landing = land(header + "9,#9,B,b@x.de,10:05,2024-01-09,1\n" + orders)
    assert landing.mappings[0].columns == {
        "order_id": "Name", "customer_id": "Customer ID", "ordered_at": "date", "amount": "amount", "email": "Email",
    }  # fmt: skip
    assert "Receipt Number is nearly empty: Name is order_id" in landing.notes


ETSY = "Sale Date,Order ID,Order Value,Order Total,{}\n01/15/25,1,5,5,{}\n01/16/25,2,6,6,{}\n"


def test_an_export_that_leaves_the_platforms_column_out_or_empty_has_the_customer_in_another(land):
    absent = land(ETSY.format("Buyer", "ann", "bob"))
    assert absent.mappings[0].columns["customer_id"] == "Buyer"
    assert "no column Buyer User ID: Buyer is customer_id" in absent.notes
    empty = land(ETSY.format("Buyer User ID,Buyer", ",ann", ",bob"))
    assert empty.mappings[0].columns["customer_id"] == "Buyer"
    assert "Buyer User ID is nearly empty: Buyer is customer_id" in empty.notes
    filled = land(ETSY.format("Buyer User ID,Buyer", "a1,ann", "b2,bob"))
    assert filled.mappings[0].columns["customer_id"] == "Buyer User ID"


def test_two_people_of_one_name_are_not_one_customer_because_an_export_leaves_their_address_out(land):
    with pytest.raises(BadInput, match="customer"):
        land(
            "amazon-order-id,purchase-date,order-status,item-price,buyer-name\n"
            "1,2025-01-15T10:00:00+00:00,Shipped,5.00,Ann Smith\n2,2025-01-16T10:00:00+00:00,Shipped,6.00,Ann Smith\n"
        )


@pytest.mark.parametrize(
    ("ids", "holds_names"),
    [
        (["Ann Smith", "Smith, Bob", "Zoë de la Cruz"], True),
        (["ann", "bob", "eve"], False),
        (["C 17", "C 18", "C 19"], False),
        (["a.b@x.de", "c d@x.de", "e@x.de"], False),
    ],
)
def test_customers_who_are_told_apart_by_name_are_said(land, ids, holds_names):
    landing = land(
        "order_id;customer;date;amount\n" + "".join(f"{n};{each};2024-01-31;1\n" for n, each in enumerate(ids))
    )
    said = "customer holds names: two customers of one name count as one; an id or an e-mail address tells them apart"
    assert (said in landing.notes) == holds_names


@pytest.mark.parametrize(
    ("moment", "settings", "notes"),
    [
        ("2024-01-31T23:30:00-05:00", {}, ["date keeps the local time that is written: with `timezone:` in"]),
        (
            "2024-01-31 10:00:00 UTC",
            {"timezone": "Europe/Berlin"},
            ["date is turned into the local time of Europe/Berlin"],
        ),
        ("1706700000", {}, ["date is read as seconds since 1970, in UTC", "date is in UTC: with `timezone:`"]),
        ("45322.5", {}, ["date is read as a spreadsheet's day numbers"]),
        ("31/01/2024", {}, ["date is read as day first"]),
        ("Jan 31, 2024", {}, ["date is read as month first"]),
        ("2024-01-31 10:00", {}, []),
    ],
)
def test_how_dates_are_read_and_in_which_time_zone_is_said(land, moment, settings, notes):
    found = [
        note
        for note in land(f'customer_id,date,amount\nA,"{moment}",1\n', **settings).notes
        if note.startswith("date ")
    ]
    assert len(found) == len(notes)
    assert all(note.startswith(start) for note, start in zip(found, notes, strict=True))


def test_one_day_beyond_the_twelfth_settles_the_order_even_in_a_long_file(land):
    ambiguous = "A,01/02/2024,1\n" * 60_000
    found = land("customer_id,date,amount\n" + ambiguous + "A,13/02/2024,1\n").mappings[0].timestamp_formats
    assert found["ordered_at"].formats == ("%d/%m/%Y",)


@pytest.mark.parametrize(
    ("settings", "formats"),
    [
        ({"timestamp_format": "%m/%d/%Y"}, ("%m/%d/%Y",)),
        ({"timestamp_format": "month_first"}, ("%m/%d/%Y", "%m/%d/%Y %H:%M")),
    ],
)
def test_a_declared_format_or_order_of_dates_settles_it(land, settings, formats):
    content = "customer_id,date,amount\nA,01/02/2024,1\nA,02/02/2024,1\nA,01/02/2024 10:00,1\n"
    assert land(content, **settings).mappings[0].timestamp_formats["ordered_at"].formats == formats


QUESTIONS = [
    ("customer_id,date,amount\nA,01/02/2024,1\nB,03/04/2024,1\n", r"such as '01/02/2024', can be read in two ways"),
    ("customer_id,date,amount\nA,13/02/2024,1\nB,03/14/2024,1\n", "written in several ways"),
    ("customer_id,date,amount\nA,13/02/2024,1\nB,2024-05-01,1\n", "'13/02/2024', are written in several ways"),
    ("customer_id,date,amount\nA,yesterday,1\nB,today,2\n", "not understood, for example 'today'"),
    ('customer_id,date,amount\nA,2024-01-31,"1,234"\n', "such as '1,234', can be read in two ways"),
    (
        'customer_id,date,amount\nA,2024-01-31,"1,50"\nA,2024-01-31,2.50\n',
        "written in two ways: 1 like '2.50' and 1 like",
    ),
    ("customer_id,date,amount\nA,2024-01-31,ten\nA,2024-01-31,7.41E+12\n", "not understood, for example '7.41E"),
]


@pytest.mark.parametrize(("content", "message"), QUESTIONS)
def test_what_only_the_shop_knows_is_asked_with_the_entry_to_write(land, con, content, message):
    with pytest.raises(BadInput, match=message) as refused:
        land(content)
    written = yaml.safe_load(str(refused.value).split("\n\n", 1)[1])
    connection = Connection.model_validate(written["shop"])
    assert connection.order_lines.columns == {"customer_id": "customer_id", "ordered_at": "date", "amount": "amount"}


@pytest.mark.parametrize("key", ["timestamp_format: month_first", "decimal: {amount: comma}"])
def test_each_answer_of_a_question_is_taken(land, key):
    content = 'customer_id,date,amount\nA,01/02/2024,"1,234"\nA,03/04/2024,"2,345"\n'
    with pytest.raises(BadInput) as refused:
        land(content, **({"timestamp_format": "day_first"} if "decimal" in key else {"decimal": "point"}))
    answers = str(refused.value).split("\n\n", 1)[1]
    assert f"      # {key}  # " in answers
    stream = yaml.safe_load(
        answers.replace(f"# {key}", key).replace(key.replace("month", "day").replace("comma", "point"), "")
    )
    assert land(content, **{"decimal": "point", **stream["shop"]["order_lines"]}).rows == 2


def test_each_file_of_a_glob_is_read_as_it_is_written(land, con, tmp_path):
    (tmp_path / "de.csv").write_text("customer_id;date;amount\nA;31.01.2024;1.234,50\n")
    (tmp_path / "gb.csv").write_text('customer_id,date,amount\nB,01/31/2024,"1,234.50"\n')
    (tmp_path / "se.csv").write_text("customer_id;date;amount\nC;28.02.2024;19,90\n")
    landing = land(None, pattern="*.csv")
    german, british = landing.mappings
    assert (german.files, british.files) == (["de.csv", "se.csv"], ["gb.csv"])
    assert german.number_formats["amount"].replacements == "."
    assert british.timestamp_formats["ordered_at"].formats == ("%m/%d/%Y",)
    told = mappings_of(Sources(("shop",), (), (), (), {}, ()), [landing])["order_lines"]
    assert [mapping["files"] for mapping in told] == [["de.csv", "se.csv"], ["gb.csv"]]


def test_a_small_file_that_is_written_otherwise_is_no_mistake_of_a_large_one(land, con, tmp_path):
    (tmp_path / "de.csv").write_text("customer_id;date;amount\n" + "A;2024-01-31;1.234,50\n" * 1_000)
    (tmp_path / "gb.csv").write_text('customer_id,date,amount\nB,31/01/2024,"1,234"\nB,01/02/2024,19.90\n')
    german, british = land(None, pattern="*.csv").mappings
    assert (german.files, british.files) == (["de.csv"], ["gb.csv"])
    assert british.number_formats["amount"].replacements == ""
    assert british.timestamp_formats["ordered_at"].formats == ("%d/%m/%Y",)


def test_what_a_few_values_of_a_column_are_beside_the_rest_is_a_mistake_in_each(land):
    few = "A,1700000000,1\nA,31/12/2024,1\nA,20240131,1\nA,soon,1\n"
    found = land("customer_id,date,amount\n" + "A,2024-01-31 10:00,1\n" * 100 + few).mappings[0].timestamp_formats
    assert found["ordered_at"].formats == ("iso",)


def test_files_with_an_added_column_are_read_together_and_reported(land, con, tmp_path):
    (tmp_path / "a.csv").write_text(PLAIN)
    (tmp_path / "b.csv").write_text("order_id,customer_id,email,ordered_at,amount\n3,C,c@x.de,2024-03-01,7\n")
    landing = land(None, pattern="*.csv")
    assert landing.rows == 3
    assert rows(con, "select order_id, email from raw_shop.order_lines order by 1")[1:] == [
        ("2", None),
        ("3", "c@x.de"),
    ]
    assert "a.csv has no email: blank there" in landing.notes


def test_lines_that_are_no_csv_are_rejected_with_file_line_and_content(land, con):
    landing = land(PLAIN + "3,C,2024-02-02,1,one too many\n4,D,2024-02-03,4\n5\n6,F,2024-02-04,6\n")
    assert (landing.rows, landing.unreadable) == (4, 2)
    assert rows(con, "from raw.unreadable_lines order by line") == [
        ("orders.csv", 4, "too many columns", "3,C,2024-02-02,1,one too many"),
        ("orders.csv", 6, "missing columns", "5"),
    ]


def test_every_landed_row_knows_its_line(land, con, tmp_path):
    (tmp_path / "a.csv").write_text(PLAIN)
    (tmp_path / "b.csv").write_text(PLAIN.replace("1,A", "1,A,surplus") + "3,C,2024-02-02,1\n4,D\n5,E,2024-02-02,1\n")
    land(None, pattern="*.csv")
    placed = rows(
        con,
        """select lines.customer_id, spans.file, spans.first_line + lines.rowid - spans.first_row
        from raw_shop.order_lines_as_text as lines
        join raw.landed_spans as spans on lines.rowid between spans.first_row and spans.last_row
        order by lines.rowid""",
    )
    assert placed == [
        ("A", "a.csv", 2), ("B", "a.csv", 3), ("B", "b.csv", 3), ("C", "b.csv", 4), ("E", "b.csv", 6),
    ]  # fmt: skip


def test_landing_again_replaces_and_a_failed_landing_changes_nothing(land, con):
    land(PLAIN)
    land(PLAIN + "3,C,2024-02-02,1\n")
    assert len(rows(con)) == 3
    with pytest.raises(BadInput):
        land("customer_id,date,amount\nA,01/02/2024,1\n")
    assert len(rows(con)) == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (PLAIN.split("\n")[0] + "\n", "no readable line"),
        ("just a line of text\nand another\n", "single column"),
        (b"PK\x03\x04 and so on", "zip archive that cannot be unpacked"),
        (b"PAR1 and so on", "cannot be read as a Parquet file"),
        (b"<html><table>", "web page"),
        (b"a,b\0,c\n1,2,3\n", "NUL"),
        ("order_id,order_id,amount\n1,2,3\n", "there twice"),
        ("order_id,when,amount\n1,2024-01-01,3\n", "customer_id or email and ordered_at"),
        ("customer_id,ordered_at,colour\nA,2024-01-01,red\n", "recognised as amount"),
        ("customer_id,ordered_at,amount\nA,yesterday,1\nB,today,2\n", r"(?s)not understood.*timestamp_format"),
        ("customer_id,ordered_at,amount\nA,,1\n", "every value is blank"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_what_was_found(land, content, message):
    with pytest.raises(BadInput, match=message):
        land(content)


def test_a_missing_file_a_folder_and_a_broken_gzip_are_refused_by_name(land, tmp_path):
    with pytest.raises(BadInput, match=r"nothing\.csv: there is no such file"):
        land(None, "nothing.csv")
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadInput, match="is a folder"):
        land(None, "folder")
    with pytest.raises(BadInput, match="cannot be unpacked"):
        land(gzip.compress(PLAIN.encode())[:40], "orders.csv.gz")


def test_a_refusal_for_want_of_columns_shows_the_mapping_to_write(land):
    with pytest.raises(BadInput) as refusal:
        land("order_id,who,ordered_at,amount\n1,A,2024-01-01,3\n")
    assert "Its columns are: order_id, who, ordered_at, amount." in str(refusal.value)
    assert "        customer_id: <the header of that column>" in str(refusal.value)


def test_a_declared_column_that_is_missing_is_named(land):
    with pytest.raises(BadInput, match="customer_id: CustomerNo"):
        land(PLAIN, columns={"customer_id": "CustomerNo", "ordered_at": "ordered_at", "amount": "amount"})


def test_files_of_the_same_name_in_two_folders_are_both_read(land, con, tmp_path):
    for folder, line in (("a", "1,A,2024-01-31,1"), ("b", "2,B,2024-02-01,2")):
        (tmp_path / folder).mkdir()
        text = f"order_id,customer_id,ordered_at,amount\n{line}\n"
        (tmp_path / folder / "orders.csv").write_bytes(text.encode("utf-16"))
    land(None, pattern="*/orders.csv")
    assert [row[1] for row in rows(con)] == ["A", "B"]


def test_files_of_different_columns_are_not_read_together(land, tmp_path):
    (tmp_path / "a.csv").write_text(PLAIN)
    (tmp_path / "b.csv").write_text(PLAIN.replace("amount", "total"))
    with pytest.raises(BadInput, match=r"b\.csv has no column 'amount'"):
        land(None, pattern="*.csv")
