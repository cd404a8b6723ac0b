"""What was found about how files write moments and numbers, in words."""

from collections.abc import Iterator, Sequence

from flows.sources.mappings import ISO, NumberFormat, OrderLineMapping, TimestampFormat

_ORDERS = {"%d": "day first", "%m": "month first", "~%m": "month first", "%Y": "year first", "%y": "year first"}
_COUNTS = {
    "unix_seconds": "seconds since 1970, in UTC",
    "unix_milliseconds": "milliseconds since 1970, in UTC",
    "unix_microseconds": "microseconds since 1970, in UTC",
    "excel_serial": "a spreadsheet's day numbers",
}


def describe_formats(mappings: Sequence[OrderLineMapping], column: str) -> Iterator[str]:
    """A sentence for each group of files, where anything but ISO dates and plain numbers was found."""
    for mapping in mappings:
        where = f" in {', '.join(mapping.files)}" if mapping.files else ""
        form = mapping.timestamp_formats.get(column, TimestampFormat())
        if form.formats != (ISO,):
            yield f"{mapping.columns[column]}{where} is read as {_order(form)}"
        if form.has_offset or form.formats[0].startswith("unix"):
            yield f"{mapping.columns[column]}{where} {_zone(form, mapping.timezone)}"
        commas = [
            mapping.columns[ours] for ours, number in mapping.number_formats.items() if _has_decimal_comma(number)
        ]
        if commas:
            yield f"the decimal sign of {', '.join(commas)}{where} is a comma"


def _order(form: TimestampFormat) -> str:
    first = form.formats[0]
    return _COUNTS.get(first) or next((order for code, order in _ORDERS.items() if first.startswith(code)), first)


def _zone(form: TimestampFormat, timezone: str | None) -> str:
    if timezone:
        return f"is turned into the local time of {timezone}"
    written = "is in UTC" if form.formats[0].startswith("unix") else "keeps the local time that is written"
    return f"{written}: with `timezone:` in airbyte/connections.yml it is turned into the shop's"


def _has_decimal_comma(number: NumberFormat) -> bool:
    return number.replacements == "."
