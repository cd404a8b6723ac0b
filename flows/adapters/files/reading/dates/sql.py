"""Moments from text, in DuckDB, as dbt's staging reads them."""

from flows.adapters.duckdb.sql import literal
from flows.sources.mappings import ISO, TimestampFormat

_SECONDS_IN = {"unix_seconds": 1, "unix_milliseconds": 0.001, "unix_microseconds": 0.000001, "excel_serial": 86400}


def moment_sql(text: str, form: TimestampFormat) -> str:
    """DuckDB's SQL of the moment that a text says, in local time: what dbt's macro parse_timestamp makes of it."""
    for pattern, replacement in form.rewrites:
        text = f"regexp_replace({text}, {literal(pattern)}, {literal(replacement)}, 'g')"
    if form.has_offset:
        text = f"regexp_replace({text}, '(:\\d\\d(\\.\\d+)?( ?[AaPp][Mm])?)[+-]\\d\\d:\\d\\d$', '\\1')"
    if not form.formats:
        return "cast(null as timestamp)"
    return f"coalesce({', '.join(_in_format(text, of) for of in form.formats)})"


def _in_format(text: str, form: str) -> str:
    if form == ISO:
        return f"case when {text} like '____-__-__%' then try_cast({text} as timestamp) end"
    if form in _SECONDS_IN:
        days_before = " - 25569" if form == "excel_serial" else ""
        seconds = f"round((try_cast({text} as decimal(38, 10)){days_before}) * {_SECONDS_IN[form]}, 0)"
        return (
            f"make_timestamp(cast(case when {seconds} between 631152000 and 4102444799 then {seconds} end as bigint)"
            " * 1000000)"
        )
    return f"try_strptime({text}, {literal(form)})"
