"""Numbers from text, in DuckDB."""

from flows.adapters.duckdb.sql import literal, quote
from flows.sources.mappings import NumberFormat


def number_sql(header: str, form: NumberFormat) -> str:
    """SQL of a column's values as numbers; NULL for what is none."""
    text = quote(header)
    for currency in form.currencies:
        text = f"replace({text}, {literal(currency)}, '')"
    return f"try_cast(translate({text}, {literal(form.characters)}, {literal(form.replacements)}) as decimal(18, 4))"
