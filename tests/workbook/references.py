"""Whether everything that a workbook names is there and of the right kind: Tableau's schemas do not look at that."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from urllib.parse import unquote

from lxml import etree

from flows.adapters.tableau.extract import MARTS, SCHEMA
from flows.adapters.tableau.workbook import EXTRACT_IN_PACKAGE
from tests.workbook.calculations import AGGREGATE, BadCalculation
from tests.workbook.document import (
    DERIVATIONS,
    INSTANCE,
    MEASURE_NAMES,
    MULTIPLE_VALUES,
    QUALIFIED,
    TYPES,
    Sheet,
    Source,
    Workbook,
    inner,
)

# Tableau's datatypes of the columns of each mart, by the names of the marts and of their columns in small letters.
Marts = Mapping[str, Mapping[str, str]]

_IN_TEXT = re.compile(r"<(\[[^<>]*\])>")
_IN_LINK = re.compile(r"<\[([^\]]+)\](?:~na)?>")


def problems(text: bytes, marts: Marts) -> list[str]:
    """What does not fit, in words that say where."""
    try:
        workbook = Workbook(text)
    except etree.XMLSyntaxError as error:
        return [f"no XML: {error}"]
    checks: list[Callable[[Workbook], Iterator[str]]] = [
        _names,
        lambda workbook: _sources(workbook, marts),
        _calculations,
        _worksheets,
        _dashboards,
        _windows,
        _actions,
    ]
    return [problem for check in checks for problem in check(workbook)]


def _twice(what: str, values: list[str | None]) -> Iterator[str]:
    yield from (f"{what} {value!r} is there {n} times" for value, n in Counter(values).items() if value and n > 1)


def _names(workbook: Workbook) -> Iterator[str]:
    root = workbook.root
    yield from _twice("the sheet", [e.get("name") for e in root.iterfind(".//worksheets/worksheet")] + [*_boards(root)])
    yield from _twice("the data source", [e.get("name") for e in root.iterfind("datasources/datasource")])
    yield from _twice("the id", [e.get("uuid") for e in root.iter("simple-id")])
    yield from _twice("the action", [e.get("name") for e in root.iterfind("actions/*")])
    yield from _twice("the window", [f"{e.get('class')} {e.get('name')}" for e in root.iterfind("windows/window")])
    for source in root.iterfind("datasources/datasource"):
        columns = source.findall("column")
        yield from _twice(f"{source.get('name')}: the column", [e.get("name") for e in columns])
        seen = [e.get("caption") for e in columns]
        yield from _twice(f"{source.get('name')}: the caption", seen)
    for board in root.iterfind("dashboards/dashboard"):
        for layout in board.iter("zones"):
            yield from _twice(f"{board.get('name')}: the zone", [zone.get("id") for zone in layout.iter("zone")])


def _boards(root: etree._Element) -> list[str]:
    return [e.get("name") for e in root.iterfind("dashboards/dashboard")]


def _sources(workbook: Workbook, marts: Marts) -> Iterator[str]:
    shown = set()
    for source in workbook.sources.values():
        where = source.name
        connections = source.element.findall("connection/named-connections/named-connection")
        relation = source.element.find("connection/relation")
        if relation is None or relation.get("connection") not in [e.get("name") for e in connections]:
            yield f"{where}: its relation has no connection"
            continue
        for connection in source.element.iterfind("connection/named-connections/named-connection/connection"):
            if (connection.get("class"), connection.get("dbname")) != ("hyper", EXTRACT_IN_PACKAGE):
                yield (
                    f"{where}: connects to {connection.get('dbname')}, which is on one machine only."
                    " `python -m flows.adapters.tableau.workbook` sets it back to the extract"
                )
            if connection.get("password") is not None:
                yield f"{where}: has a password in it"
        table = re.fullmatch(rf"\[{SCHEMA}\]\.\[(\w+)\]", relation.get("table"))
        mart = table[1].lower() if table and table[1].isupper() else ""
        if mart not in marts:
            yield f"{where}: {relation.get('table')} is no mart of the extract"
            continue
        shown.add(mart)
        yield from _columns_of_the_mart(source, relation.get("name"), marts[mart])
    yield from (f"no data source shows {mart}" for mart in MARTS if mart not in shown)


def _columns_of_the_mart(source: Source, relation: str, mart: Mapping[str, str]) -> Iterator[str]:
    mapped = {e.get("key"): e.get("value") for e in source.element.iterfind("connection/cols/map")}
    records = source.element.findall("connection/metadata-records/metadata-record")
    for record in records:
        remote, local = record.findtext("remote-name"), inner(record.findtext("local-name"))
        where = f"{source.name}: the column {remote}"
        if remote != remote.upper() or remote.lower() not in mart:
            yield f"{where} is none of the mart"
            continue
        if local != remote.lower():
            yield f"{where} is called {local} in the workbook"
        if record.findtext("local-type") != mart[remote.lower()]:
            yield f"{where} is {mart[remote.lower()]} in the mart, {record.findtext('local-type')} in the workbook"
        if (
            record.findtext("parent-name") != f"[{relation}]"
            or mapped.pop(f"[{local}]", "") != f"[{relation}].[{remote}]"
        ):
            yield f"{where} does not come from {relation}"
        column = source.columns.get(local)
        if column is None:
            yield f"{where} has no caption and no role"
        elif column.get("datatype") != record.findtext("local-type"):
            yield f"{where} is {record.findtext('local-type')}, and {column.get('datatype')} to the reader"
    yield from (f"{source.name}: {key} is mapped to nothing" for key in mapped)
    for name in source.columns:
        if source.formula(name) is None and name not in source.remote:
            yield f"{source.name}: [{name}] is neither in the mart nor calculated"


def _calculations(workbook: Workbook) -> Iterator[str]:
    for name, parameter in workbook.parameters.items():
        value, datatype = parameter.get("value"), parameter.get("datatype")
        shapes = {"string": r'".*"', "integer": r"-?\d+", "real": r"-?\d+(\.\d+)?"}
        if not re.fullmatch(shapes.get(datatype, ".*"), value):
            yield f"the parameter {name} is {datatype}, but {value}"
        if parameter.find("calculation").get("formula") != value:
            yield f"the parameter {name} has two values"
    for source in workbook.sources.values():
        for name, column in source.columns.items():
            where = f"{source.name}: [{name}]"
            if not column.get("caption"):
                yield f"{where} has no caption"
            if source.formula(name) is None:
                continue
            try:
                value = source.value(name)
            except BadCalculation as error:
                yield f"{where}: {error}"
                continue
            except KeyError as error:
                yield f"{where} needs {error}, which does not exist"
                continue
            if value.datatype != column.get("datatype"):
                yield f"{where} is {value.datatype}, declared as {column.get('datatype')}"
            if value.level == AGGREGATE and column.get("role") != "measure":
                yield f"{where} is an aggregate and cannot be a dimension"
        for group in source.groups.values():
            for level in group.iter("groupfilter"):
                if level.get("level") and inner(level.get("level")) not in source.columns:
                    yield f"{source.name}: {group.get('name')} is about {level.get('level')}, which does not exist"
        declared = {e.get("name") for e in source.element.findall("column-instance")}
        for encoding in source.element.iterfind("style//encoding"):
            if encoding.get("field") not in declared:
                yield f"{source.name}: colours for {encoding.get('field')}, which is not declared"


class _Declared:
    """What a worksheet, a dashboard or an action says it depends on."""

    def __init__(self, element: etree._Element, where: str, workbook: Workbook):
        self.where, self.workbook = where, workbook
        self.listed = {e.get("name") for e in element.iterfind("datasources/datasource")}
        self.dependencies = {e.get("datasource"): e for e in element.iterfind("datasource-dependencies")}

    def has(self, source: str, field: str) -> bool:
        if source == "Parameters":
            return source in self.dependencies and field in self._names(source, "column")
        if source not in self.workbook.sources:
            return False
        if field in (MEASURE_NAMES, MULTIPLE_VALUES) or field in self.workbook.sources[source].groups:
            return source in self.listed
        return source in self.dependencies and field in self._names(source, "column-instance")

    def _names(self, source: str, tag: str) -> set[str]:
        return {inner(e.get("name")) for e in self.dependencies[source].findall(tag)}

    def problems(self) -> Iterator[str]:
        for name in self.listed - set(self.workbook.sources) - {"Parameters"}:
            yield f"{self.where}: there is no data source {name}"
        for name, element in self.dependencies.items():
            if name not in self.listed:
                yield f"{self.where}: depends on {name}, which it does not list"
            if name == "Parameters":
                yield from self._copies(element, self.workbook.parameters)
            elif name in self.workbook.sources:
                yield from self._copies(element, self.workbook.sources[name].columns)
                yield from self._instances(element, self.workbook.sources[name])

    def _copies(self, element: etree._Element, columns: Mapping[str, etree._Element]) -> Iterator[str]:
        """A calculation that was changed in one place only is two calculations."""
        present = {inner(e.get("name")) for e in element.findall("column")}
        for copy in element.findall("column"):
            name = inner(copy.get("name"))
            if name not in columns:
                yield f"{self.where}: depends on [{name}], which does not exist"
            elif _canonical(copy) != _canonical(columns[name]):
                yield f"{self.where}: its copy of [{name}] is not the data source's"
            calculation = copy.find("calculation")
            formula = "" if calculation is None else calculation.get("formula")
            for source, needed in re.findall(r"(?:\[(Parameters)\]\.)?\[(\w+)\]", formula):
                if source and not self.has(source, needed):
                    yield f"{self.where}: [{name}] needs the parameter {needed}, which is not among the dependencies"
                if not source and needed not in present:
                    yield f"{self.where}: [{name}] needs [{needed}], which is not among the dependencies"

    def _instances(self, element: etree._Element, source: Source) -> Iterator[str]:
        present = {e.get("name") for e in element.findall("column")}
        for instance in element.findall("column-instance"):
            name = inner(instance.get("name"))
            where = f"{self.where}: [{name}]"
            match = INSTANCE.fullmatch(name)
            if not match or match[1] not in DERIVATIONS:
                yield f"{where} is no name of a field on a shelf"
                continue
            meant = (f"[{match[2]}]", DERIVATIONS[match[1]][0], TYPES[match[3]])
            if meant != (instance.get("column"), instance.get("derivation"), instance.get("type")):
                yield f"{where} is not what its name says"
            if instance.get("column") not in present:
                yield f"{where}: {instance.get('column')} is not among the dependencies"
            try:
                source.instance(name)
            except BadCalculation as error:
                yield f"{where}: {error}"
            except KeyError:
                yield f"{where}: there is no {instance.get('column')}"


def _canonical(element: etree._Element) -> object:
    kept = {name: value for name, value in element.attrib.items() if name != "hidden"}
    return element.tag, kept, [_canonical(child) for child in element]


def _fields(text: str) -> list[tuple[str, str]]:
    return QUALIFIED.findall(text)


def _worksheets(workbook: Workbook) -> Iterator[str]:
    for sheet in workbook.sheets.values():
        where = sheet.name
        view = sheet.element.find("table/view")
        declared = _Declared(view, where, workbook)
        yield from declared.problems()
        if len(declared.listed - {"Parameters"}) != 1:
            yield f"{where}: shows {sorted(declared.listed)}; the checks know worksheets of one data source"
            continue
        if not declared.listed - {"Parameters"} <= set(workbook.sources):
            continue
        places = [("the shelf", sheet.element.findtext(f"table/{shelf}") or "") for shelf in ("rows", "cols")]
        places += [(f"the mark's {tag}", column) for tag, column in sheet.encodings]
        places += [(e.tag, e.get("column")) for e in [*sheet.filters, *sheet.sorts]]
        places += [("the sort", e.get("using")) for e in sheet.sorts if e.get("using")]
        places += [("the slices", e.text) for e in view.iterfind("slices/column")]
        places += [("the style", e.get("field")) for e in sheet.element.iter("format", "encoding") if e.get("field")]
        for place, text in places:
            if not _fields(text) and text:
                yield f"{where}: {place} has {text!r}, which names no field"
            for source, field in _fields(text):
                if not declared.has(source, field):
                    yield f"{where}: {place} has [{source}].[{field}], which does not exist there"
        yield from _texts(sheet, declared)
        yield from _filters(sheet, declared)
        yield from _panes(sheet)


def _texts(sheet: Sheet, declared: _Declared) -> Iterator[str]:
    """A field in a title or a tooltip is only known if the marks know it."""
    for _, text in sheet.texts():
        for reference in _IN_TEXT.findall(text):
            [found] = _fields(reference) or [("", "")]
            if found[0] == "Parameters":
                if not declared.has(*found):
                    yield f"{sheet.name}: a text has the parameter {reference}, which does not exist there"
            elif found[0] != sheet.source.name or found[1] not in sheet.shown:
                yield f"{sheet.name}: a text has {reference}, which is on no shelf and no mark"


def _filters(sheet: Sheet, declared: _Declared) -> Iterator[str]:
    view = sheet.element.find("table/view")
    filtered = [e.get("column") for e in sheet.filters]
    if sorted(filtered) != sorted(e.text for e in view.iterfind("slices/column")):
        yield f"{sheet.name}: its slices are not its filters"
    for element in sheet.filters:
        [(_, field)] = _fields(element.get("column")) or [("", "")]
        where = f"{sheet.name}: the filter on [{field}]"
        group = sheet.source.groups.get(field)
        levels = {f"[{field}]"} if group is None else {e.get("level") for e in group.iter("groupfilter")} - {None}
        if {e.get("level") for e in element.iter("groupfilter")} - {None} != levels:
            yield f"{where} is about another field"
        for member in element.iter("groupfilter"):
            if member.get("function") == "member" and field != MEASURE_NAMES and group is None:
                yield from _member(sheet, field, member.get("member"), where)
            if member.get("function") == "member" and field == MEASURE_NAMES:
                for source, name in _fields(member.get("member")):
                    if not declared.has(source, name):
                        yield f"{where} has [{name}], which does not exist there"
            if member.get("expression"):
                yield from _expression(sheet, member.get("expression"), where)
            if member.get("count"):
                yield from _count(sheet, declared, member.get("count"), where)
    uses = {name for _, column in sheet.encodings for _, name in _fields(column)}
    uses |= {name for shelf in ("rows", "cols") for _, name in _fields(sheet.element.findtext(f"table/{shelf}") or "")}
    if bool(uses & {MEASURE_NAMES, MULTIPLE_VALUES}) != bool(sheet.measure_values):
        yield f"{sheet.name}: measure names and measure values do not go together"


def _member(sheet: Sheet, field: str, member: str, where: str) -> Iterator[str]:
    try:
        datatype = sheet.source.instance(field).datatype
    except (BadCalculation, KeyError):
        return  # reported elsewhere
    shapes = {"string": r'".*"', "boolean": "true|false", "integer": r"-?\d+"}
    if not re.fullmatch(shapes.get(datatype, ".*"), member):
        yield f"{where} is for {member}, which is no {datatype}"


def _expression(sheet: Sheet, expression: str, where: str) -> Iterator[str]:
    try:
        if sheet.source.calculate(expression).level != AGGREGATE:
            yield f"{where} is ordered by {expression}, which is no aggregate"
    except BadCalculation as error:
        yield f"{where}: {error}"
    except KeyError as error:
        yield f"{where} needs {error}, which does not exist"


def _count(sheet: Sheet, declared: _Declared, count: str, where: str) -> Iterator[str]:
    found = _fields(count)
    if not found and not count.isdigit():
        yield f"{where} stops at {count!r}"
    for source, name in found:
        parameter = sheet.workbook.parameters.get(name)
        if not declared.has(source, name) or parameter is None or parameter.get("datatype") != "integer":
            yield f"{where} stops at {count}, which is no whole number here"


def _panes(sheet: Sheet) -> Iterator[str]:
    shelves = {axis: sheet.element.findtext(f"table/{shelf}") or "" for axis, shelf in (("x", "cols"), ("y", "rows"))}
    for pane in sheet.element.iterfind("table/panes/pane"):
        for axis, shelf in shelves.items():
            named = pane.get(f"{axis}-axis-name")
            if named and named not in shelf:
                yield f"{sheet.name}: marks for {named}, which is on no shelf"
    for line in sheet.element.iter("reference-line"):
        for name in (line.get("axis-column"), line.get("value-column")):
            if not any(field in sheet.shown for _, field in _fields(name)):
                yield f"{sheet.name}: a reference line for {name}, which is not shown"


def _dashboards(workbook: Workbook) -> Iterator[str]:
    placed: set[str] = set()
    for name, board in workbook.dashboards.items():
        declared = _Declared(board, name, workbook)
        yield from declared.problems()
        shown = workbook.sheets_of(name)
        placed |= shown
        for sheet in shown & set(workbook.sheets):
            if workbook.sheets[sheet].source.name not in declared.listed:
                yield f"{name}: does not list the data source of {sheet}"
        for zone in board.iter("zone"):
            where = f"{name}, zone {zone.get('id')}"
            x, y, w, h = (int(zone.get(side)) for side in "xywh")
            if x < 0 or y < 0 or x + w > 100_000 or y + h > 100_000:
                yield f"{where} lies outside"
            yield from _zone(workbook, declared, shown, zone, where)
        for layout in board.iter("zones"):
            for one, other in combinations(_leaves(layout), 2):
                if all(_meet(one, other, *side) for side in ("xw", "yh")):
                    yield f"{name}: the zones {one.get('id')} and {other.get('id')} overlap"
        yield from _phone(name, board)
    yield from (f"{name} is on no dashboard" for name in workbook.sheets if name not in placed)


def _phone(name: str, board: etree._Element) -> Iterator[str]:
    """The layout of phones has every worksheet and control of the page; legends are left out."""
    pages = {"page": board.find("zones"), "phone": board.find("devicelayouts/devicelayout[@name='Phone']/zones")}
    if pages["phone"] is None:
        yield f"{name} has no layout for phones"
        return
    page, phone = (
        {(zone.get("type-v2") or "", zone.get("param") or zone.get("name") or "") for zone in _leaves(zones)}
        for zones in pages.values()
    )
    for kind, what in sorted(one for one in page ^ phone if one[0] != "color"):
        yield f"{name}: {what or kind} is on the page or on phones, not on both"


def _leaves(zones: etree._Element) -> list[etree._Element]:
    return [zone for zone in zones.iter("zone") if zone.find("zone") is None]


def _meet(one: etree._Element, other: etree._Element, start: str, length: str) -> bool:
    first, second = sorted((int(e.get(start)), int(e.get(start)) + int(e.get(length))) for e in (one, other))
    return first[1] > second[0]


def _zone(workbook: Workbook, declared: _Declared, shown: set[str], zone: etree._Element, where: str) -> Iterator[str]:
    name, kind = zone.get("name"), zone.get("type-v2")
    if name and name not in workbook.sheets:
        yield f"{where} shows {name}, which is no worksheet"
        return
    if kind in ("filter", "color") and name not in shown:
        yield f"{where} is a {kind} of {name}, which is not on the dashboard"
    for source, field in _fields(zone.get("param") or ""):
        if kind in ("paramctrl", "filter") and not declared.has(source, field):
            yield f"{where} is about [{source}].[{field}], which does not exist there"
        if kind == "filter" and not any(e.get("column") == zone.get("param") for e in workbook.sheets[name].filters):
            yield f"{where} filters {name} by [{field}], which it has no filter for"
        if kind == "color" and ("color", zone.get("param")) not in workbook.sheets[name].encodings:
            yield f"{where} explains colours of [{field}], which {name} does not have"
    if kind in ("paramctrl", "filter", "color") and not zone.get("param"):
        yield f"{where} is a {kind} of nothing"


def _windows(workbook: Workbook) -> Iterator[str]:
    windows = {(e.get("class"), e.get("name")): e for e in workbook.root.iterfind("windows/window")}
    wanted = {("worksheet", name) for name in workbook.sheets} | {("dashboard", name) for name in workbook.dashboards}
    yield from (f"the {kind} {name} has no window" for kind, name in wanted - set(windows))
    yield from (f"a window is for the {kind} {name}, which does not exist" for kind, name in set(windows) - wanted)
    for kind, name in wanted & set(windows):
        if kind == "dashboard":
            viewpoints = {e.get("name") for e in windows[kind, name].iterfind("viewpoints/viewpoint")}
            for sheet in viewpoints ^ workbook.sheets_of(name):
                yield f"{name}: {sheet} is among its viewpoints or its zones, not both"


def _actions(workbook: Workbook) -> Iterator[str]:
    actions = workbook.root.find("actions")
    if actions is None:
        return
    declared = _Declared(actions, "the actions", workbook)
    yield from declared.problems()
    for action in actions:
        if action.tag not in ("action", "edit-parameter-action"):
            continue
        where = f"the action {action.get('caption')!r}"
        start = action.find("source")
        board, name = start.get("dashboard"), start.get("worksheet")
        if board not in workbook.dashboards:
            yield f"{where} starts on {board}, which is no dashboard"
            continue
        if name not in workbook.sheets or name not in workbook.sheets_of(board):
            yield f"{where} starts at {name}, which is not on {board}"
            continue
        sheet = workbook.sheets[name]
        parameters = {e.get("name"): e.get("value") for e in action.iter("param")}
        if action.tag == "edit-parameter-action":
            yield from _sets_parameter(workbook, declared, sheet, parameters, where)
            continue
        target = parameters.get("target")
        if target is not None and target not in workbook.dashboards and target not in workbook.sheets:
            yield f"{where} ends at {target}, which does not exist"
            continue
        for excluded in filter(None, parameters.get("exclude", "").split(",")):
            if excluded not in workbook.sheets_of(target):
                yield f"{where} leaves out {excluded}, which is not on {target}"
        captions = {sheet.source.columns[INSTANCE.fullmatch(f)[2]].get("caption") for f in sheet.shown}
        for caption in filter(None, parameters.get("field-captions", "").split(",")):
            if caption not in captions:
                yield f"{where} is about {caption}, which {name} does not show"
        link = action.find("link")
        if link is not None:
            yield from _link(workbook, sheet, link.get("expression"), parameters, where)


def _sets_parameter(
    workbook: Workbook, declared: _Declared, sheet: Sheet, parameters: Mapping[str, str], where: str
) -> Iterator[str]:
    [(source, field)] = _fields(parameters.get("source-field", "")) or [("", "")]
    [(_, target)] = _fields(parameters.get("target-parameter", "")) or [("", "")]
    if target not in workbook.parameters or not declared.has("Parameters", target):
        yield f"{where} sets {target!r}, which is no parameter"
    if source != sheet.source.name or field not in sheet.shown or not declared.has(source, field):
        yield f"{where} takes [{field}], which {sheet.name} does not show"
    elif target in workbook.parameters:
        wanted = workbook.parameters[target].get("datatype")
        if sheet.source.instance(field).datatype != wanted:
            yield f"{where} puts [{field}] into a parameter that is {wanted}"


def _link(
    workbook: Workbook, sheet: Sheet, expression: str, parameters: Mapping[str, str], where: str
) -> Iterator[str]:
    shown = {INSTANCE.fullmatch(field)[2] for field in sheet.shown}
    taken = _IN_LINK.findall(expression)
    for field in taken:
        if field not in shown and field not in sheet.shown:
            yield f"{where} takes [{field}], which {sheet.name} does not show"
    if not taken:
        yield f"{where} takes nothing along"
    if not expression.startswith("tsl:"):
        return
    match = re.fullmatch(r"tsl:([^?]+)\?(.*)", expression)
    if not match or unquote(match[1]) != parameters.get("target"):
        yield f"{where} leads to {expression}, and ends at {parameters.get('target')}"
        return
    for source, field in _fields(unquote(match[2])):
        if source not in workbook.sources or field not in workbook.sources[source].columns:
            yield f"{where} filters by [{source}].[{field}], which does not exist"
            continue
        left_out = set(parameters.get("exclude", "").split(","))
        names = workbook.sheets_of(parameters["target"]) - left_out
        ends = [workbook.sheets[name] for name in names if name in workbook.sheets]
        for end in ends:
            group = f"[{source}].[Action ({field})]"
            if end.source.name == source and group not in [e.get("column") for e in end.filters]:
                yield f"{where} ends at {end.name}, which has no filter {group}"
        if not any(end.source.name == source for end in ends):
            yield f"{where} filters nothing"
