"""Worksheets as Tableau would ask them: shelves, marks, filters and calculations as one query for hyperd."""

from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from tests.workbook.calculations import AGGREGATE, BadCalculation, Value, literal
from tests.workbook.document import INSTANCE, MEASURE_NAMES, QUALIFIED, Sheet, inner

Chosen = Mapping[str, str]


@dataclass(frozen=True)
class Query:
    """`dimensions`, `measures`: what the columns of the result are called, in their order."""

    sql: str
    dimensions: list[str]
    measures: list[str]


def query(sheet: Sheet, chosen: Chosen | None = None) -> Query:
    """What a worksheet asks; as with Tableau, there is no mark where there are no rows.

    `chosen`: a member per field that a reader has clicked or ticked, for filters that let all through until then.

    Raises:
        BadCalculation: when something cannot be queried so.
    """
    where = _conditions(sheet, chosen or {})
    fields = {name: sheet.source.instance(name) for name in sheet.shown}
    columns = {INSTANCE.fullmatch(name)[2]: value for name, value in fields.items()}
    if len(columns) < len(fields):
        raise BadCalculation(f"{sheet.name} shows one field in two ways, which these checks cannot tell apart")
    dimensions = [name for name, value in columns.items() if value.level != AGGREGATE]
    measures = [name for name, value in columns.items() if value.level == AGGREGATE]
    selected = ", ".join(f'{columns[name].sql("t")} as "{name}"' for name in dimensions + measures)
    grouped = (
        f"group by {', '.join(str(n + 1) for n in range(len(dimensions)))}" if dimensions else "having count(*) > 0"
    )
    return Query(f"select {selected} from {sheet.source.table} as t where {where} {grouped}", dimensions, measures)


def order(sheet: Sheet, chosen: Chosen | None = None) -> Query | None:
    """The members of the dimension that a worksheet sorts by a measure, in that order; None if it sorts none."""
    where = _conditions(sheet, chosen or {})
    for sort in sheet.sorts:
        if sort.tag == "computed-sort":
            [(_, column)], [(_, using)] = (QUALIFIED.findall(sort.get(name)) for name in ("column", "using"))
            dimension, measure = sheet.source.instance(column).sql("t"), sheet.source.instance(using).sql("t")
            name = INSTANCE.fullmatch(column)[2]
            sql = f"""select {dimension} as "{name}" from {sheet.source.table} as t where {where} group by 1
                order by {measure} {sort.get("direction")} nulls last, 1"""
            return Query(sql, [name], [])
    return None


def _conditions(sheet: Sheet, chosen: Chosen) -> str:
    filters = [f for f in sheet.filters if MEASURE_NAMES not in f.get("column")]
    context = [f for f in filters if f.get("context") == "true" and not _top(f)]
    sheet.source.context[:] = [c for f in context for c in [_condition(sheet, f, chosen)] if c]
    others = [_condition(sheet, f, chosen) for f in filters if f not in context]
    return " and ".join(c.sql("t") for c in [*sheet.source.context, *others] if c) or "true"


def _top(element: etree._Element) -> bool:
    return element.find("groupfilter").get("function") == "end"


def _condition(sheet: Sheet, element: etree._Element, chosen: Chosen) -> Value | None:
    """None: everything passes."""
    source = sheet.source
    name = QUALIFIED.findall(element.get("column"))[0][1]
    group = element.find("groupfilter")
    if element.get("class") != "categorical" or group is None:
        raise BadCalculation(f"{sheet.name}: a filter of class {element.get('class')} is not known to these checks")
    if name in source.groups:  # an action's
        levels = {inner(level.get("level")) for level in source.groups[name].iter("groupfilter") if level.get("level")}
        [field] = levels
        return _among(source.value(field), [chosen[field]]) if field in chosen else None
    value, field = source.instance(name), INSTANCE.fullmatch(name)[2]
    function = group.get("function")
    if function == "level-members":
        return _among(value, [chosen[field]]) if field in chosen else None
    members = [_member(g.get("member")) for g in group.iter("groupfilter") if g.get("function") == "member"]
    if function in ("member", "union"):
        return _among(value, [chosen[field]] if field in chosen else members)
    if function == "except":
        among = _among(value, members)
        return Value("boolean", value.level, lambda alias: f"{among.sql(alias)} is not true")
    if function == "end":
        return _first(sheet, value, group)
    raise BadCalculation(f"{sheet.name}: a filter by {function} is not known to these checks")


def _member(text: str) -> object:
    if text.startswith('"'):
        return text[1:-1]
    return text == "true" if text in ("true", "false") else float(text)


def _among(value: Value, members: list[object]) -> Value:
    listed = ", ".join(literal(member) for member in members)
    return Value("boolean", value.level, lambda alias: f"({value.sql(alias)} in ({listed}))")


def _first(sheet: Sheet, value: Value, group: etree._Element) -> Value:
    """The first members by an expression, of those that the context lets through; of equals the first by name."""
    ordered = group.find("groupfilter")
    by = sheet.source.calculate(ordered.get("expression"))
    count = group.get("count")
    [parameter] = [name for _, name in QUALIFIED.findall(count)] or [None]
    limit = sheet.workbook.parameter(parameter).sql("") if parameter else count
    direction = {"top": "desc", "bottom": "asc"}[group.get("end")]
    context = list(sheet.source.context)

    def sql(alias: str) -> str:
        where = " and ".join(condition.sql("first") for condition in context) or "true"
        return f"""({value.sql(alias)} in (select {value.sql("first")} from {sheet.source.table} as first where {where}
            group by 1 order by {by.sql("first")} {direction} nulls last, 1 limit {limit}))"""

    return Value("boolean", value.level, sql)
