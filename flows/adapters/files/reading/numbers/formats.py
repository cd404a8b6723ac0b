"""How each column of a table of text writes numbers, file by file where its files do not write alike."""

from collections.abc import Mapping

from flows.adapters.duckdb.sql import quote
from flows.adapters.files.reading.numbers.shapes import (
    DECIMALS,
    Decimal,
    NumberEvidence,
    decided_by_others,
    gather,
    number_format,
)
from flows.adapters.files.reading.questions import Answer, Unclear
from flows.adapters.files.reading.tables.text_rows import File, TextRows, pooled
from flows.sources.connections import OrderLineColumn
from flows.sources.mappings import NumberFormat

NumberFormats = dict[OrderLineColumn, NumberFormat]
_PLAIN = NumberFormat()
_NO_ZERO = "12345678"  # 0 stays: no thousands begin with it


def find_number_formats(
    rows: TextRows, columns: Mapping[OrderLineColumn, str], declared: Mapping[OrderLineColumn, Decimal]
) -> dict[File, NumberFormats]:
    """File → our column → how it writes numbers. `columns`: those of numbers; `declared`: their decimal signs, where
    the connection says so. A format holds for a whole column: what does not fit it is no number.

    Raises:
        Unclear: when a column can be read in two ways, mixes them, or holds few numbers.
    """
    if not columns:
        return {}
    plain = _plain_columns(rows, columns)
    evidence = {
        ours: _evidence(rows, theirs, {f: p.get(ours) for f, p in plain.items()}) for ours, theirs in columns.items()
    }
    formats: dict[File, NumberFormats] = {}
    for file in plain:
        of_file = {ours: found[file] for ours, found in evidence.items()}
        formats[file] = {ours: _format(file, theirs, of_file, ours, declared) for ours, theirs in columns.items()}
    return formats


def _plain_columns(
    rows: TextRows, columns: Mapping[OrderLineColumn, str]
) -> dict[File, dict[OrderLineColumn, NumberEvidence]]:
    """File → what is known of those of its columns that hold plain numbers only, in one look at all values. Where
    everything behind a point has three digits, it may be thousands."""
    counted = ", ".join(
        f"""count(*) filter (trim({name}) <> ''),
        count(case when not contains({name}, ',') then try_cast({name} as decimal(18, 4)) end),
        count(*) filter (contains({name}, 'e') or contains({name}, 'E') or contains({name}, '_')),
        count(*) filter (contains({name}, '.')),
        count(*) filter (contains({name}, '.') and regexp_matches({name}, '[.][0-9]{{3}}$'))"""
        for name in map(quote, columns.values())
    )
    plain: dict[File, dict[OrderLineColumn, NumberEvidence]] = {}
    for file, counts in rows.by_file(counted).items():
        plain[file] = {}
        for number, ours in enumerate(columns):
            values, numbers, odd, points, in_threes = counts[5 * number : 5 * number + 5]
            if values == numbers and not odd and (points == 0 or points > in_threes):
                plain[file][ours] = NumberEvidence(values, {"point": points, "comma": 0})
    return plain


def _evidence(rows: TextRows, column: str, plain: Mapping[File, NumberEvidence | None]) -> dict[File, NumberEvidence]:
    """File → what its values of a column say: those of all files together, unless they contradict each other."""
    known = {file: evidence for file, evidence in plain.items() if evidence is not None}
    if len(known) == len(plain):
        return known
    shapes = rows.shapes(column, _NO_ZERO)
    together = gather(pooled(shapes).items())
    alone = {file: gather(shapes.get(file, {}).items()) for file in plain}
    if together.is_mixed or any(evidence.contradicts(together) for evidence in alone.values()):
        return alone
    return dict.fromkeys(plain, together)


def _format(
    file: File,
    column: str,
    evidence: Mapping[OrderLineColumn, NumberEvidence],
    ours: OrderLineColumn,
    all_declared: Mapping[OrderLineColumn, Decimal],
) -> NumberFormat:
    found, declared = evidence[ours], all_declared.get(ours)
    place = f"column {column!r}" + (f" of {file}" if file else "")
    if found.unreadable > found.values / 2:
        raise Unclear(
            f"The numbers in {place} were not understood, for example {found.examples['unreadable']!r}. Name another"
            f" column as {ours}, or leave {ours} out.",
            (),
        )
    others = (other.only for name, other in evidence.items() if name != ours)
    signs = [max(DECIMALS, key=lambda decimal: only[decimal]) for only in others if any(only.values())]
    decimal = declared or found.decimal or decided_by_others(found, signs)
    if decimal is None:
        raise _question(found, place, ours, all_declared)
    if declared and found.only[declared] < sum(found.only.values()) / 2:
        raise Unclear(
            f"The numbers in {place} do not use a {declared} as decimal sign, as airbyte/connections.yml says, for"
            f" example {found.examples[_other(declared)]!r}.",
            [Answer("decimal", {**all_declared, ours: _other(declared)}, "by our columns")],
        )
    return (
        _PLAIN
        if decimal == "point" and not found.examples and not found.currencies
        else number_format(decimal, found.currencies)
    )


def _question(
    found: NumberEvidence, place: str, ours: OrderLineColumn, declared: Mapping[OrderLineColumn, Decimal]
) -> Unclear:
    if found.is_mixed:
        point, comma = found.examples["point"], found.examples["comma"]
        return Unclear(
            f"The numbers in {place} are written in two ways: {found.only['point']:,} like {point!r} and"
            f" {found.only['comma']:,} like {comma!r}. Export the file again, or choose one: the others are rejected.",
            [
                Answer("decimal", {**declared, ours: decimal}, f"reads {found.examples[decimal]!r}")
                for decimal in DECIMALS
            ],
        )
    example = found.examples["." if found.either["."] else ","]
    readings = {
        decimal: "".join(c for c in example if c.isdigit()) if is_whole else example.replace(",", ".")
        for decimal, is_whole in (("point", "," in example), ("comma", "." in example))
    }
    return Unclear(
        f"The numbers in {place}, such as {example!r}, can be read in two ways.",
        [Answer("decimal", {**declared, ours: decimal}, f"{example!r} is {readings[decimal]}") for decimal in DECIMALS],
    )


def _other(decimal: Decimal) -> Decimal:
    return "comma" if decimal == "point" else "point"
