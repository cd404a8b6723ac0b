"""Customers as CSV, for spreadsheets: by features, a customer a row; or by orders, an order line a row.

A file becomes what the same customers are as JSON, so that both are read and refused alike."""

import csv
import difflib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from functions.churn_api.bodies import Unfit, refuse
from functions.churn_api.contract import FEATURE_NAMES
from functions.churn_api.order_history import Order
from functions.churn_api.predictions import COLUMNS, PredictionResponse, flat
from functions.churn_api.problems import Refused

_ABOUT = ("customer_id", "as_of")
_OTHER_NAMES = {"as_of_date": "as_of"}  # as the marts call it
_OF_AN_ORDER = tuple(Order.model_fields)
_KNOWN = (*_ABOUT, *_OF_AN_ORDER, *FEATURE_NAMES)
_NUMBERS = frozenset({"amount", *FEATURE_NAMES})
_DELIMITERS = (",", ";", "\t")
_WITH_COMMA = re.compile(r"-?\d+,\d+", re.ASCII)
_WITH_POINT = re.compile(r"-?\d*\.\d+(?:[eE][+-]?\d+)?", re.ASCII)
_PERHAPS_THOUSANDS = re.compile(r"-?[1-9]\d{0,2}\.\d{3}", re.ASCII)
_BEGINS_A_FORMULA = re.compile(r"[=+\-@\t\r\n]")


@dataclass
class CsvCustomers:
    """`customers` as they are in JSON; `lines`: by customer, the line of each row."""

    customers: list[dict[str, Any]] = field(default_factory=list)
    lines: list[list[int]] = field(default_factory=list)

    def in_lines(self, unfit: Unfit) -> Unfit:
        """The same refusal, naming lines and columns."""
        return Unfit([self._in_line(error) for error in unfit.errors])

    def _in_line(self, error: dict[str, Any]) -> dict[str, Any]:
        _, *path = error["pointer"].split("/")
        if not path:
            return error
        rows = self.lines[int(path[0])]
        line = rows[int(path[2]) if path[1:2] == ["orders"] and len(path) > 2 else 0]
        return error | {"detail": f"line {line}, {path[-1]}: {error['detail']}", "line": line}


def read_csv(body: bytes, max_rows: int) -> CsvCustomers:
    """The customers of a file with a header, in the order in which they first appear.

    Columns are separated by commas, semicolons or tabs; between semicolons and tabs, decimals may have a comma.

    Raises:
        Unfit: when the file has no or other columns, or more rows than `max_rows`.
        Refused: when it is no text in UTF-8.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused("request_unreadable", "The file is not in UTF-8: save it as CSV UTF-8.") from None
    if body.count(b"\n") + body.count(b"\r") > 4 * max_rows + 100:
        raise refuse((), f"more than {max_rows:,} rows in one file; send fewer at a time", "too_long")
    delimiter = max(_DELIMITERS, key=text.partition("\n")[0].count)
    rows = _rows(text, delimiter)
    header = next(rows, (0, []))[1]
    names = _names(header)
    found: list[tuple[int, dict[str, str]]] = []
    for line, cells in rows:
        if not any(cells):
            continue
        if len(cells) != len(names):
            raise refuse((), f"line {line} has {len(cells)} cells, the header {len(names)}", "cells")
        if len(found) == max_rows:
            raise refuse((), f"more than {max_rows:,} rows in one file; send fewer at a time", "too_long")
        found.append((line, {name: cell for name, cell in zip(names, cells, strict=True) if cell}))
    if delimiter != ",":
        _read_decimals([row for _, row in found])
    return _by_orders(found) if "ordered_at" in names or "amount" in names else _by_features(found)


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line on which it ends, its cells without white space around them."""
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error as problem:
        raise refuse((), f"line {reader.line_num} is not CSV: {problem}", "csv_invalid") from None


def _names(header: Sequence[str]) -> list[str]:
    names = [_OTHER_NAMES.get(name.lower(), name.lower()) for name in header]
    if "customer_id" not in names:
        raise refuse((), "the first line names no column customer_id", "missing")
    for name in names:
        if name not in _KNOWN:
            raise refuse((), not_known(name, _KNOWN), "extra_forbidden")
        if names.count(name) > 1:
            raise refuse((), f"the column {name} is there twice", "repeated")
    if {"ordered_at", "amount"} & {*names} and {*FEATURE_NAMES} & {*names}:
        raise refuse((), "columns of orders and of features in one file; send two", "extra_forbidden")
    return names


def not_known(name: str, known: Sequence[str]) -> str:
    """That a column is not known, and which one is perhaps meant."""
    longer = [column for column in known if name and column.startswith(name)]
    near = longer or difflib.get_close_matches(name[:100], known, 1)
    meant = f"; is {near[0]} meant?" if near else ""
    return f"the column {name[:100]!r} is not known{meant}"


def _read_decimals(rows: Sequence[dict[str, str]]) -> None:
    """Writes a point for each decimal comma, in place. Refuses what can be read in two ways: where a semicolon parts
    cells, 1.234 may be more than a thousand."""
    numbers = [cell for row in rows for name, cell in row.items() if name in _NUMBERS]
    with_comma = any(map(_WITH_COMMA.fullmatch, numbers))
    with_point = [number for number in numbers if _WITH_POINT.fullmatch(number)]
    if with_comma and with_point:
        raise refuse((), "decimals with a comma and with a point in one file; write all with a point", "ambiguous")
    if with_point and all(map(_PERHAPS_THOUSANDS.fullmatch, with_point)):
        raise refuse((), "every decimal looks like 1.234, which may be thousands; write 1234 or 1.2340", "ambiguous")
    if with_comma:
        for row in rows:
            row |= {n: c.replace(",", ".") for n, c in row.items() if n in _NUMBERS and _WITH_COMMA.fullmatch(c)}


def _number(text: str) -> int | float | str:
    """The number that a cell holds; what is no number stays text, which is refused with its place."""
    if re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
        return int(text)
    return float(text) if _WITH_POINT.fullmatch(text) else text


def _by_features(rows: Sequence[tuple[int, dict[str, str]]]) -> CsvCustomers:
    read = CsvCustomers()
    for line, row in rows:
        features = {name: _number(cell) for name, cell in row.items() if name not in _ABOUT}
        read.customers.append({name: row[name] for name in _ABOUT if name in row} | {"features": features})
        read.lines.append([line])
    return read


def _by_orders(rows: Sequence[tuple[int, dict[str, str]]]) -> CsvCustomers:
    read, position = CsvCustomers(), dict[str, int]()
    for line, row in rows:
        customer_id = row.get("customer_id", "")
        if customer_id not in position:
            position[customer_id] = len(read.customers)
            about = {name: row[name] for name in _ABOUT if name in row}
            read.customers.append(about | {"orders": []})
            read.lines.append([])
        customer = read.customers[position[customer_id]]
        if row.get("as_of") != customer.get("as_of"):
            raise refuse((), f"line {line}: as_of is another one than in this customer's first line", "contradiction")
        customer["orders"].append({name: cell for name, cell in row.items() if name in _OF_AN_ORDER})
        read.lines[position[customer_id]].append(line)
    return read


def write_csv(responses: Sequence[PredictionResponse]) -> bytes:
    """The responses as CSV with a header. An id that a spreadsheet would run as a formula begins with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for response in responses:
        row = flat(response) | {"stored": str(response.stored).lower()}
        if _BEGINS_A_FORMULA.match(response.customer_id or ""):
            row["customer_id"] = f"'{response.customer_id}"
        writer.writerow(row.values())
    return out.getvalue().encode()
