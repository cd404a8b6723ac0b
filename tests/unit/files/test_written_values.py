"""Moments and numbers as exports write them."""

import re
from datetime import date, datetime, time
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.adapters.duckdb.sql import literal
from flows.adapters.files.reading.dates.formats import find_timestamp_formats
from flows.adapters.files.reading.dates.sql import moment_sql
from flows.adapters.files.reading.numbers.shapes import gather, number_format
from flows.adapters.files.reading.questions import Unclear
from flows.adapters.files.reading.tables.text_rows import TextRows
from tests.examples.written_values import written_moments, written_numbers


def test_every_way_to_write_a_moment_is_read():
    read = [(text, form) for text, form, zone, _ in written_moments() if zone is None]
    expected = [moment for *_, zone, moment in written_moments() if zone is None]
    with duckdb.connect() as con:
        found = con.execute("select " + ", ".join(moment_sql(literal(text), form) for text, form in read)).fetchone()
    wrong = [(text, is_, wanted) for (text, _), is_, wanted in zip(read, found, expected, strict=True) if is_ != wanted]
    assert not wrong


@pytest.mark.parametrize(("text", "form", "number"), written_numbers())
def test_every_way_to_write_a_number_fits_its_format_and_no_other(text, form, number):
    assert bool(re.fullmatch(form.pattern, text)) == (number is not None)


@st.composite
def columns_of_moments(draw):
    """A column in one style: its texts, and the days that they say. Days about the twelfth, and years that are days."""
    style = draw(st.sampled_from(STYLES))
    days = [draw(st.sampled_from([1, 5, 11, 12, 13, 28])) for _ in range(draw(st.integers(1, 12)))]
    dates = [
        date(draw(st.sampled_from([1990, 2001, 2012, 2013, 2024])), draw(st.sampled_from([1, 12])), d) for d in days
    ]
    times = st.sampled_from([time(0, 0), time(12, 0), time(23, 59, 59)])
    return [datetime.combine(day, draw(times)).strftime(style) for day in dates], dates


STYLES = [
    "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%y/%m/%d", "%d.%m.%Y %H:%M", "%d.%m.%y", "%Y%m%d",
    "%d%m%Y", "%m/%d/%Y %I:%M %p", "%d-%b-%y", "%B %d, %Y, %I:%M %p", "%d %b %Y %H:%M:%S +0200",
    "%Y-%m-%dT%H:%M:%S-05:00", "%d/%m/%Y, %H:%M",
]  # fmt: skip


@given(columns_of_moments())
@settings(max_examples=60)
def test_a_column_of_moments_is_asked_about_or_read_right(column):
    texts, days = column
    with duckdb.connect() as con:
        con.execute("create table rows (moment varchar)")
        con.executemany("insert into rows values (?)", [[text] for text in texts])
        try:
            [form] = find_timestamp_formats(TextRows(con, "rows"), "moment", None, date(2025, 1, 1)).values()
        except Unclear:
            return
        found = con.execute(f"select cast({moment_sql('moment', form)} as date) from rows").fetchall()
    assert [day for (day,) in found] == days


@st.composite
def columns_of_numbers(draw):
    """A column in one style: its texts, and the numbers that they say. Numbers about a thousand, with any decimals."""
    point, comma = draw(st.sampled_from([".,", ".'", ". ", ".", ",.", ",\u00a0", ","])).ljust(2, "!")
    before, behind = draw(st.sampled_from([("", ""), ("$", ""), ("", " EUR"), ("CHF ", "")]))
    minus = draw(st.sampled_from(["-{}", "{}-", "({})", "−{}"]))
    decimals = draw(st.sampled_from([0, 1, 2, 3]))
    whole = st.sampled_from([0, 1, 12, 123, 999, 1000, 1234, 999_999, 1_234_567])
    texts, numbers = [], []
    for _ in range(draw(st.integers(1, 8))):
        number = Decimal(draw(whole)) + Decimal(draw(st.integers(0, 10**decimals - 1))).scaleb(-decimals)
        written = f"{number:,.{decimals}f}".translate({ord(","): comma.replace("!", ""), ord("."): point})
        negative = draw(st.booleans())
        texts.append(minus.format(f"{before}{written}{behind}") if negative else f"{before}{written}{behind}")
        numbers.append(-number if negative else number)
    return texts, numbers


@given(columns_of_numbers())
@settings(max_examples=150)
def test_a_column_of_numbers_is_asked_about_or_read_right(column):
    texts, numbers = column
    evidence = gather((text, 1) for text in texts)
    assert not evidence.unreadable
    if evidence.decimal is None:
        assert not any(evidence.only.values())  # no value says which
        return
    form = number_format(evidence.decimal, evidence.currencies)
    assert [number_of(text, form) for text in texts] == numbers


def number_of(text, form):
    """As dbt's macro parse_number reads it."""
    assert re.fullmatch(form.pattern, text)
    bare = text
    for currency in form.currencies:
        bare = bare.replace(currency, "")
    kept = dict(zip(form.characters, form.replacements.ljust(len(form.characters), "\0"), strict=True))
    plain = "".join(kept.get(character, character) for character in bare).replace("\0", "")
    signed = re.sub(r"[.,](--|[-–—])", "", text)
    return Decimal(plain) * (-1 if set(signed) & set("-−–(") else 1)


@pytest.mark.parametrize(("text", "day"), [("230430", date(2023, 4, 30)), ("300423", date(2023, 4, 30))])
def test_six_digits_are_a_date_where_one_order_is_plausible(con, text, day):
    con.execute(f"create table rows as select '{text}' as moment")
    (form,) = find_timestamp_formats(TextRows(con, "rows"), "moment", None, date(2024, 1, 1)).values()
    assert con.execute(f"select cast({moment_sql(literal(text), form)} as date)").fetchone() == (day,)


def test_six_digits_that_are_dates_in_several_orders_are_asked_about(con):
    con.execute("create table rows as select '110512' as moment")
    with pytest.raises(Unclear, match="can be read in two ways"):
        find_timestamp_formats(TextRows(con, "rows"), "moment", None, date(2024, 1, 1))


@pytest.mark.parametrize("text", ["2023-04", "04/2023", "202304", "2023.04"])
def test_months_without_a_day_are_refused_with_the_format_that_reads_them(con, text):
    con.execute(f"create table rows as select '{text}' as moment")
    with pytest.raises(Unclear, match="name a month and no day") as refused:
        find_timestamp_formats(TextRows(con, "rows"), "moment", None, date(2024, 1, 1))
    (answer,) = refused.value.answers
    (form,) = find_timestamp_formats(TextRows(con, "rows"), "moment", answer.value, date(2024, 1, 1)).values()
    assert con.execute(f"select cast({moment_sql(literal(text), form)} as date)").fetchone() == (date(2023, 4, 1),)
