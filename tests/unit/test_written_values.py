"""Moments and numbers as exports write them."""

import re

import duckdb
import pytest

from flows.adapters.duckdb.sql import literal
from flows.adapters.files.reading.moment_sql import moment_sql
from tests.written_values import written_moments, written_numbers


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
