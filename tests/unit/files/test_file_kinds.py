"""Workbooks, archives, Parquet and JSON come to the same table of text as a CSV does, whatever stands above it."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.errors import BadInput

HEADER = "order_id,customer_id,ordered_at,amount"
PLAIN = f"{HEADER}\n1,A,2024-01-31,10.50\n2,B,2024-02-01,3\n"
ROWS = [("1", "A", "2024-01-31", "10.50"), ("2", "B", "2024-02-01", "3")]


def rows(con, kind="order_lines"):
    columns = "order_id, customer_id, ordered_at, amount" if kind == "order_lines" else "customer_id, email"
    return con.sql(f"select {columns} from raw_shop.{kind}_as_text order by rowid").fetchall()


def places(con):
    return con.sql("select file, first_row, last_row, first_line from raw.landed_spans order by first_row").fetchall()


def zipped(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_csv", ".csv").replace("_txt", ".txt"), content)
    return stream.getvalue()


def workbook(**sheets):
    pytest.importorskip("python_calamine")
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, cells in sheets.items():
        sheet = book.create_sheet(name.strip("_"))
        sheet.sheet_state = "hidden" if name.endswith("_") else "visible"
        for row in cells:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


NAMES = HEADER.split(",")
CELLS = [[1, "A", datetime(2024, 1, 31, 12, 30), 10.5], [2, "B", datetime(2024, 2, 1), 3]]  # noqa: DTZ001
CELLS_AS_TEXT = [("1", "A", "2024-01-31 12:30:00", "10.5"), ("2", "B", "2024-02-01", "3")]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gzip", "bzip2", "xz"])
def test_a_compressed_file_is_known_by_its_content_not_by_its_name(land, con, pack):
    land(pack(PLAIN.encode()), "orders.csv")
    assert rows(con) == ROWS


def test_a_file_packed_with_zstandard_is_read(land, con):
    land(pa.compress(PLAIN.encode(), "zstd", asbytes=True), "orders.csv.zst")
    assert rows(con) == ROWS


@pytest.mark.parametrize(
    "above",
    ["sep=,\n", '"sep=,"\n', "Sales report\n\n", '"Sales, by order",,,\n"of 2024\nand before",,,\n,,,\n'],
    ids=["sep", "quoted sep", "title", "titles with line breaks"],
)
def test_lines_above_the_header_are_skipped(land, con, above):
    land(above + PLAIN)
    assert rows(con) == ROWS


def test_rows_below_a_title_know_their_lines_and_the_title_is_reported(land, con):
    landing = land("Sales report\n\n" + PLAIN + "broken\n3,C,2024-02-02,1\n")
    assert places(con) == [("orders.csv", 0, 1, 4), ("orders.csv", 2, 2, 7)]
    assert con.sql("select line from raw.unreadable_lines").fetchall() == [(6,)]
    assert "the header of orders.csv is its line 3, below 'Sales report'" in landing.notes


def test_a_separator_line_decides_against_what_the_header_looks_like(land, con):
    land("sep=;\r\norder_id;customer_id;ordered_at;amount\r\n1;A;2024-01-31;10,50\r\n")
    assert rows(con) == [("1", "A", "2024-01-31", "10,50")]


@pytest.mark.parametrize("lines", [["\r\n", "\n", "\n"], ["\n", "\r\n", "\r\n"], ["\r", "\r", "\r"]])
def test_lines_may_end_in_different_ways(land, con, lines):
    land("".join(text + end for text, end in zip(PLAIN.splitlines(), lines, strict=True)))
    assert rows(con) == ROWS


def test_a_file_of_two_exports_whose_lines_end_differently_is_read_in_its_encoding(land, con):
    first = "".join(f"{i},Müller,2024-01-31,1\r\n" for i in range(5_000))
    last = "".join(f"{i},Weiß,2024-02-01,1\n" for i in range(5_000))
    landing = land(f"{HEADER}\r\n{first}{last}".encode("cp1252"))
    assert landing.rows == 10_000
    assert {row[1] for row in rows(con)} == {"Müller", "Weiß"}


def test_a_field_of_some_megabytes_is_read(land, con):
    note = "long and\n" * 400_000
    landing = land(f'{HEADER},note\n1,A,2024-01-31,1,"{note}"\n2,B,2024-02-01,3,\n')
    assert landing.rows == 2


def test_a_quotation_mark_that_is_never_closed_is_refused(land):
    with pytest.raises(BadInput, match="quotation mark that is never closed"):
        land(PLAIN + '3,"C,2024-02-02,1\n' + "4,D,2024-02-02,1\n" * 10_000)


def test_a_column_without_a_header_is_kept_under_its_place(land, con):
    landing = land(f",{HEADER},\n0,1,A,2024-01-31,10.50,\n1,2,B,2024-02-01,3,\n")
    assert rows(con) == ROWS
    assert "did not use column 1, column 6" in landing.notes


def test_parquet_lands_as_the_text_of_its_values(land, con):
    table = pa.table({
        "order_id": [1, 2],
        "customer_id": ["007", "B"],
        "ordered_at": pa.array([datetime(2024, 1, 31, 12, 30), datetime(2024, 2, 1)], pa.timestamp("us")),  # noqa: DTZ001
        "amount": pa.array([Decimal("10.50"), None], pa.decimal128(10, 2)),
    })  # fmt: skip
    stream = io.BytesIO()
    pq.write_table(table, stream)
    land(stream.getvalue(), "orders.parquet")
    assert rows(con) == [("1", "007", "2024-01-31 12:30:00", "10.50"), ("2", "B", "2024-02-01 00:00:00", None)]
    assert places(con) == [("orders.parquet", 0, 1, 1)]


def test_moments_of_a_parquet_file_that_are_instants_are_read_in_utc_and_said(land, con):
    at = pa.array([datetime(2024, 1, 31, 23, 30, tzinfo=UTC)], pa.timestamp("us", tz="America/New_York"))
    stream = io.BytesIO()
    pq.write_table(pa.table({"order_id": [1], "customer_id": ["A"], "ordered_at": at, "amount": [1.5]}), stream)
    landing = land(stream.getvalue(), "orders.parquet")
    assert rows(con) == [("1", "A", "2024-01-31 23:30:00+00", "1.5")]
    assert any("orders.parquet has ordered_at in UTC" in note for note in landing.notes)


@pytest.mark.parametrize("written", ["lines", "list"])
def test_json_lands_as_it_is_written(land, con, written):
    records = [
        {"order_id": 1, "customer_id": "007", "ordered_at": "2024-01-31T12:30:00+01:00", "amount": 10.5},
        {"order_id": 2, "customer_id": "B", "ordered_at": "2024-02-01T00:00:00+01:00", "amount": "3.00", "items": [1]},
    ]
    text = json.dumps(records) if written == "list" else "\n".join(map(json.dumps, records))
    land(text, "orders.jsonl")
    assert rows(con) == [
        ("1", "007", "2024-01-31T12:30:00+01:00", "10.5"), ("2", "B", "2024-02-01T00:00:00+01:00", "3.00"),
    ]  # fmt: skip


def test_json_that_breaks_off_or_holds_one_object_is_refused(land):
    with pytest.raises(BadInput, match="cannot be read as JSON"):
        land('{"order_id": 1, "amount": 2}\nbroken\n', "orders.jsonl")
    with pytest.raises(BadInput, match="single field 'orders'"):
        land('{"orders": [{"order_id": 1, "amount": 2}]}', "orders.json")


def test_the_files_of_an_archive_are_read_together_and_the_others_reported(land, con):
    more = PLAIN.replace("1,A", "3,C").replace("2,B", "4,D")
    landing = land(
        zipped(a_csv=PLAIN, year__b_csv=more, readme_txt="Made by us\n", stock_csv="sku,stock\n1,2\n"), "o.zip"
    )
    assert [row[1] for row in rows(con)] == ["A", "B", "C", "D"]
    assert [place[0] for place in places(con)] == ["a.csv", "b.csv"]
    assert "of o.zip, did not read the files 'stock.csv'" in landing.notes


def test_an_archive_of_orders_and_of_their_lines_is_not_added_up(land):
    with pytest.raises(BadInput, match=r"2 tables of different columns(?s:.*)name the right one"):
        land(zipped(a_csv=PLAIN, b_csv=PLAIN.replace("amount", "price")), "o.zip")


def test_a_damaged_archive_is_refused(land):
    with pytest.raises(BadInput, match="cannot be unpacked"):
        land(zipped(a_csv=PLAIN)[:60], "o.zip")


def test_a_workbook_has_real_dates_and_numbers(land, con):
    land(workbook(Orders=[NAMES, *CELLS]), "orders.xlsx")
    assert rows(con) == CELLS_AS_TEXT


def test_a_workbook_with_a_title_is_read_below_it_and_its_rows_know_their_place(land, con):
    land(workbook(Orders=[["Sales of 2024"], [], [None, *NAMES], *([None, *row] for row in CELLS)]), "orders.xlsx")
    assert rows(con) == CELLS_AS_TEXT
    assert places(con) == [("orders.xlsx", 0, 1, 4)]


def test_of_several_sheets_the_one_with_orders_is_read(land, con):
    book = workbook(
        Summary=[["Sales", 13.5]], Customers=[["customer_id", "email"], ["A", "a@b.c"]], Orders=[NAMES, *CELLS],
        Old_=[NAMES, *CELLS],
    )  # fmt: skip
    landing = land(book, "orders.xlsx")
    assert rows(con) == CELLS_AS_TEXT
    assert "of orders.xlsx, did not read the sheets 'Summary', 'Customers'" in landing.notes
    land(book, "orders.xlsx", "contacts", sheet="Customers")
    assert rows(con, "contacts") == [("A", "a@b.c")]


def test_sheets_of_the_same_columns_are_read_together(land, con):
    land(workbook(January=[NAMES, CELLS[0]], February=[NAMES, CELLS[1]]), "orders.xlsx")
    assert rows(con) == CELLS_AS_TEXT


def test_a_sheet_that_is_not_there_is_refused_with_those_that_are(land):
    with pytest.raises(BadInput, match=r"no sheet 'Lines'\. It has: 'Orders'"):
        land(workbook(Orders=[NAMES, *CELLS]), "orders.xlsx", sheet="Lines")


def test_dates_of_which_a_spreadsheet_has_read_only_some_are_refused(land):
    some = [[i, "A", date(2024, 1, 2), 1] for i in range(5)] + [[9, "A", "13/01/2024", 1]]
    with pytest.raises(BadInput, match=r"row 7: '13/01/2024' is text, and 5 cells of its column are dates"):
        land(workbook(Orders=[NAMES, *some]), "orders.xlsx")


def test_a_workbook_in_an_archive_is_read(land, con):
    land(zipped(orders=workbook(Orders=[NAMES, *CELLS])), "o.zip")
    assert rows(con) == CELLS_AS_TEXT
