"""A workbook as the checks see it: data sources with their columns, worksheets with what they show."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from lxml import etree

from tests.workbook.calculations import AGGREGATE, CONSTANT, ROW, BadCalculation, Scope, Value, aggregate, literal, read

QUALIFIED = re.compile(r"\[([^\[\]]+)\]\.\[([^\[\]]+)\]")
INSTANCE = re.compile(r"([a-z]+):(\w+):(nk|ok|qk)")
TYPES = {"nk": "nominal", "ok": "ordinal", "qk": "quantitative"}
DERIVATIONS = {
    "none": ("None", None),
    "usr": ("User", None),
    "sum": ("Sum", "SUM"),
    "avg": ("Avg", "AVG"),
    "min": ("Min", "MIN"),
    "max": ("Max", "MAX"),
    "attr": ("Attribute", "ATTR"),
}
MEASURE_NAMES, MULTIPLE_VALUES = ":Measure Names", "Multiple Values"


def inner(name: str) -> str:
    """The name within brackets."""
    return name[1:-1]


@dataclass
class Source:
    """A data source. `context`: conditions that hold before any {FIXED}, over a table of an alias."""

    element: etree._Element
    workbook: "Workbook"
    context: list[Value] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.element.get("name")

    @cached_property
    def columns(self) -> dict[str, etree._Element]:
        return {inner(column.get("name")): column for column in self.element.findall("column")}

    @cached_property
    def remote(self) -> dict[str, str]:
        """Local names of the table's own columns, and what they are called there."""
        records = self.element.iterfind("connection/metadata-records/metadata-record")
        return {inner(record.findtext("local-name")): record.findtext("remote-name") for record in records}

    @cached_property
    def groups(self) -> dict[str, etree._Element]:
        return {inner(group.get("name")): group for group in self.element.findall("group")}

    @property
    def table(self) -> str:
        """The table as SQL names it."""
        relation = self.element.find("connection/relation")
        return ".".join(f'"{name}"' for name in re.findall(r"\[([^\]]+)\]", relation.get("table")))

    def formula(self, name: str) -> str | None:
        calculation = self.columns[name].find("calculation")
        return None if calculation is None else calculation.get("formula")

    def value(self, name: str, within: tuple[str, ...] = ()) -> Value:
        """
        Raises:
            KeyError: when there is no such column.
            BadCalculation: when its formula is bad.
        """
        column = self.columns[name]
        if name in within:
            raise BadCalculation(f"[{name}] is computed from itself")
        formula = self.formula(name)
        if formula is None:
            remote = self.remote[name]
            return Value(column.get("datatype"), ROW, lambda alias: f'{alias}."{remote}"')
        return self.calculate(formula, (*within, name))

    def calculate(self, formula: str, within: tuple[str, ...] = ()) -> Value:
        return read(formula, Scope(lambda name: self.value(name, within), self.workbook.parameter, self._fixed))

    def _fixed(self, dimensions: list[Value], value: Value):
        def sql(alias: str) -> str:
            same = [f"{d.sql('fixed')} is not distinct from {d.sql(alias)}" for d in dimensions]
            conditions = " and ".join(same + [condition.sql("fixed") for condition in self.context]) or "true"
            return f"(select {value.sql('fixed')} from {self.table} as fixed where {conditions})"

        return sql

    def instance(self, name: str) -> Value:
        """A field on a shelf, such as [sum:monetary:qk].

        Raises:
            KeyError: when there is no such column.
            BadCalculation: when it cannot be aggregated so.
        """
        match = INSTANCE.fullmatch(name)
        if not match or match[1] not in DERIVATIONS:
            raise BadCalculation(f"[{name}] is no field on a shelf")
        value = self.value(match[2])
        if match[1] == "none" and value.level == AGGREGATE:
            raise BadCalculation(f"[{name}] is an aggregate that is used as a dimension")
        if match[1] == "usr" and value.level != AGGREGATE:
            raise BadCalculation(f"[{name}] is no aggregate, and so needs an aggregation")
        function = DERIVATIONS[match[1]][1]
        return aggregate(function, value) if function else value


class Sheet:
    """A worksheet."""

    def __init__(self, element: etree._Element, workbook: "Workbook"):
        self.element, self.workbook = element, workbook

    @property
    def name(self) -> str:
        return self.element.get("name")

    @cached_property
    def source(self) -> Source:
        """The data source that it shows; every worksheet has one next to the parameters."""
        names = [e.get("name") for e in self.element.iterfind("table/view/datasources/datasource")]
        [name] = [name for name in names if name != "Parameters"]
        return Source(self.workbook.sources[name].element, self.workbook)

    @property
    def filters(self) -> list[etree._Element]:
        return self.element.findall("table/view/filter")

    @property
    def sorts(self) -> list[etree._Element]:
        return [e for e in self.element.find("table/view") if e.tag in ("computed-sort", "manual-sort")]

    @property
    def encodings(self) -> list[tuple[str, str]]:
        """(color, [data source].[field]) and the like, of all panes."""
        return [(e.tag, e.get("column")) for e in self.element.iterfind("table/panes/pane/encodings/*")]

    @cached_property
    def shown(self) -> list[str]:
        """Fields on shelves and marks, once each: those of the measure names in place of the measure values."""
        shelves = [self.element.findtext(f"table/{shelf}") or "" for shelf in ("rows", "cols")]
        columns = [*shelves, *(column for _, column in self.encodings)]
        found = [name for column in columns for _, name in QUALIFIED.findall(column)]
        if MULTIPLE_VALUES in found:
            found += self.measure_values
        return [name for name in dict.fromkeys(found) if name not in (MEASURE_NAMES, MULTIPLE_VALUES)]

    @property
    def measure_values(self) -> list[str]:
        for element in self.filters:
            if element.get("column").endswith(f"[{MEASURE_NAMES}]"):
                members = [e.get("member") for e in element.iter("groupfilter") if e.get("function") == "member"]
                return [name for member in members for _, name in QUALIFIED.findall(member)]
        return []

    def texts(self) -> Iterator[tuple[etree._Element, str]]:
        """Titles, labels and tooltips, each as one text."""
        for formatted in self.element.iter("formatted-text"):
            yield formatted, "".join(run.text or "" for run in formatted)


class Workbook:
    """
    Raises:
        lxml.etree.XMLSyntaxError: when the bytes are no XML.
    """

    def __init__(self, text: bytes):
        self.root = etree.fromstring(text)

    @cached_property
    def sources(self) -> dict[str, Source]:
        found = self.root.iterfind("datasources/datasource")
        return {e.get("name"): Source(e, self) for e in found if e.get("name") != "Parameters"}

    @cached_property
    def parameters(self) -> dict[str, etree._Element]:
        found = self.root.iterfind("datasources/datasource[@name='Parameters']/column")
        return {inner(e.get("name")): e for e in found}

    @cached_property
    def sheets(self) -> dict[str, Sheet]:
        return {e.get("name"): Sheet(e, self) for e in self.root.iterfind("worksheets/worksheet")}

    @cached_property
    def dashboards(self) -> dict[str, etree._Element]:
        return {e.get("name"): e for e in self.root.iterfind("dashboards/dashboard")}

    def sheets_of(self, dashboard: str) -> set[str]:
        """Names that its zones show, whether or not there are such worksheets."""
        zones = self.dashboards[dashboard].iter("zone")
        return {zone.get("name") for zone in zones if zone.get("name") and not zone.get("type-v2")}

    def parameter(self, name: str) -> Value:
        """A parameter at the value that it has in the file.

        Raises:
            KeyError: when there is none.
        """
        element = self.parameters[name]
        text = element.get("value")
        sql = literal(text[1:-1]) if element.get("datatype") == "string" else text
        return Value(element.get("datatype"), CONSTANT, lambda alias: sql)
