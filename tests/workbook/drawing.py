"""The marks of a worksheet as HTML and SVG, by what is on its shelves: text, bars, squares, dots, intervals, lines."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

from flows.adapters.dashboard.phrases import figure
from tests.workbook.document import MEASURE_NAMES, MULTIPLE_VALUES, QUALIFIED, Sheet

Row = dict[str, Any]
BLUE, OTHERS = "#4e79a7", ("#4e79a7", "#bab0ac", "#f28e2b", "#76b7b2", "#59a14f")


def formatted(sheet: Sheet, name: str, value: Any) -> str:
    """A value by its alias, or in the format of its column and the workbook's locale; as Tableau, nothing for null."""
    if value is None:
        return ""
    column = sheet.source.columns.get(name.split(":")[1])
    style = (column.get("default-format") if column is not None else None) or ""
    if isinstance(value, float):
        return _number(value, style, sheet.workbook.root.get("locale") == "fr_FR")
    if style.startswith("*") and "H" not in style:  # no worksheet shows hours
        return _day(str(value), style[1:])
    aliases = {} if column is None else {alias.get("key"): alias.get("value") for alias in column.iter("alias")}
    return aliases.get(f'"{value}"', str(value))


def _number(value: float, style: str, is_french: bool) -> str:
    if style.startswith("p"):
        text = f"{value:.{style.count('0') - 1}%}"
    elif style.startswith("*+"):
        text = f"{value:+.0%}"
    else:
        decimals = len(style.partition(".")[2].partition(";")[0]) if style else (0 if value.is_integer() else 2)
        text = f"{value:,.{decimals}f}"
    return figure(text) if is_french else text


def _day(iso: str, style: str) -> str:
    year, month, day = iso[:10].split("-")
    found = {"yyyy": year, "MM": month, "dd": day, "q": str((int(month) + 2) // 3)}
    return re.sub(r'"([^"]*)"|yyyy|MM|dd|q', lambda part: found.get(part[0], part[1] or ""), style).replace(
        " ", "\u00a0"
    )


@dataclass
class Drawing:
    """A worksheet's answer and the room that it has, in pixels. `sorted_members`: of the dimension that is sorted by a
    measure, in that order."""

    sheet: Sheet
    rows: list[Row]
    sorted_members: list[Any]
    width: float
    height: float

    def shelf(self, name: str) -> list[str]:
        return [field for _, field in QUALIFIED.findall(self.sheet.element.findtext(f"table/{name}") or "")]

    @cached_property
    def marks(self) -> list[str]:
        return [pane.find("mark").get("class") for pane in self.sheet.element.iterfind("table/panes/pane")]

    def encoded(self, kind: str) -> list[str]:
        found = [QUALIFIED.findall(column)[0][1] for tag, column in self.sheet.encodings if tag == kind]
        return list(dict.fromkeys(found))

    def caption(self, name: str) -> str:
        return self.sheet.source.columns[name.split(":")[1]].get("caption")

    def values(self, field: str) -> list[float]:
        return [row[field] for row in self.rows if row[field] is not None]

    def members(self, field: str) -> list[Any]:
        found = {row[field] for row in self.rows}
        for sort in self.sheet.sorts:
            if sort.tag == "manual-sort" and f":{field}:" in sort.get("column"):
                listed = [bucket.text.strip('"') for bucket in sort.iter("bucket")]
                return sorted(found, key=lambda member: listed.index(_as_bucket(member)))
        if set(self.sorted_members) >= found:
            return [member for member in self.sorted_members if member in found]
        return sorted(found, key=lambda member: (member is None, member if isinstance(member, float) else str(member)))

    def series(self, n: int) -> str:
        return OTHERS[n % len(OTHERS)]

    def colour(self, field: str, member: Any) -> str:
        """As the data source says, else one of a palette."""
        for encoding in self.sheet.source.element.iterfind("style/style-rule/encoding"):
            if f":{field}:" in (encoding.get("field") or ""):
                for chosen in encoding.iterfind("map"):
                    if chosen.findtext("bucket") == f'"{member}"':
                        return chosen.get("to")
        return self.series(self.members(field).index(member))

    def shade(self, field: str, value: float) -> str:
        lowest, highest = min(self.values(field), default=0), max(self.values(field), default=0)
        share = (value - lowest) / (highest - lowest) if highest > lowest else 0.5
        return f"rgb({round(235 - 170 * share)},{round(243 - 130 * share)},{round(250 - 90 * share)})"


def draw(drawing: Drawing) -> str:
    """The marks, as HTML."""
    rows, cols = drawing.shelf("rows"), drawing.shelf("cols")
    if MEASURE_NAMES in cols:
        return _table(drawing, rows, drawing.sheet.measure_values)
    if "Square" in drawing.marks:
        return _squares(drawing, rows, cols)
    if not cols:
        return _table(drawing, rows, drawing.encoded("text"))
    if rows and _is_measure(rows[-1]) and not _is_measure(cols[0]):
        return _columns(drawing, cols[0], rows[0])
    if rows and _is_measure(rows[-1]):
        return _lines(drawing, rows, cols[0])
    measures = drawing.sheet.measure_values if MULTIPLE_VALUES in cols else cols
    return _bars(drawing, rows, measures)


def _as_bucket(member: Any) -> str:
    return f"{member:.0f}" if isinstance(member, float) else str(member)


def _is_measure(name: str) -> bool:
    return name.endswith(":qk")


def _field(name: str) -> str:
    return name.split(":")[1]


def _table(drawing: Drawing, dimensions: list[str], measures: list[str]) -> str:
    names = [*dimensions, *measures]
    head = "".join(f"<th>{escape(drawing.caption(name))}</th>" for name in names)
    first = [_field(name) for name in dimensions]
    places = {field: {member: n for n, member in enumerate(drawing.members(field))} for field in first}
    ordered = sorted(drawing.rows, key=lambda row: [places[field][row[field]] for field in first])
    body = "".join(
        "<tr>" + "".join(_cell(formatted(drawing.sheet, name, row[_field(name)]), _is_measure(name)) for name in names)
        for row in ordered
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _cell(text: str, is_number: bool, style: str = "") -> str:
    return f'<td{" class=number" if is_number else ""} style="{style}">{escape(text)}</td>'


def _squares(drawing: Drawing, rows: list[str], cols: list[str]) -> str:
    down, across, shown, colour = _field(rows[0]), _field(cols[0]), drawing.encoded("text"), drawing.encoded("color")
    marks = {(row[down], row[across]): row for row in drawing.rows}
    head = "".join(
        f"<th>{escape(formatted(drawing.sheet, cols[0], member))}</th>" for member in drawing.members(across)
    )
    lines = []
    for member in drawing.members(down):
        cells = []
        for other in drawing.members(across):
            mark = marks.get((member, other))
            if mark is None:
                cells.append("<td></td>")
                continue
            value = mark[_field(colour[0])]
            back = f"background:{drawing.shade(_field(colour[0]), value)}" if value is not None else ""
            cells.append(_cell(formatted(drawing.sheet, shown[0], mark[_field(shown[0])]), True, back))
        lines.append(f"<tr><th>{escape(formatted(drawing.sheet, rows[0], member))}</th>{''.join(cells)}</tr>")
    return f"<table><tr><th></th>{head}</tr>{''.join(lines)}</table>"


def _stacks(drawing: Drawing) -> str | None:
    colour = [name for name in drawing.encoded("color") if not _is_measure(name) and name != MEASURE_NAMES]
    return _field(colour[0]) if colour else None


def _in_order(drawing: Drawing, by: str | None, rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: drawing.members(by).index(row[by])) if by else rows


def _columns(drawing: Drawing, across: str, measure: str) -> str:
    """Bars from below, stacked by colour."""
    field, value, by = _field(across), _field(measure), _stacks(drawing)
    members = drawing.members(field)
    highest = max((sum(r[value] or 0 for r in drawing.rows if r[field] == m) for m in members), default=1) or 1
    room, wide = drawing.height - 30, (drawing.width - 10) / max(len(members), 1)
    shapes = []
    for n, member in enumerate(members):
        top = room
        for row in _in_order(drawing, by, [r for r in drawing.rows if r[field] == member]):
            tall = (row[value] or 0) / highest * room
            top -= tall
            fill = drawing.colour(by, row[by]) if by else BLUE
            shapes.append(_rectangle(5 + n * wide, top, wide - 1, tall, fill))
        label = formatted(drawing.sheet, across, member)
        shapes.append(_label(5 + n * wide, room + 14, label, 10))
    return _svg(drawing, "".join(shapes))


def _bars(drawing: Drawing, dimensions: list[str], measures: list[str]) -> str:
    """Bars, dots or intervals to the right, a panel for each measure unless all share an axis."""
    fields = [_field(name) for name in dimensions]
    places = [drawing.members(field) for field in fields]
    keys = sorted(
        {tuple(row[field] for field in fields) for row in drawing.rows},
        key=lambda key: [place.index(member) for place, member in zip(places, key, strict=True)],
    )
    names = [" · ".join(formatted(drawing.sheet, d, m) for d, m in zip(dimensions, key, strict=True)) for key in keys]
    share_axis = "Circle" in drawing.marks
    left = min(drawing.width * 0.4, 8 + 6.2 * max(map(len, names), default=0))
    wide = (drawing.width - left) / (1 if share_axis else len(measures))
    tall = min(22.0, max(14.0, (drawing.height - 20) / max(len(keys), 1)))  # Tableau scrolls what is longer
    shapes = [_label(0, 18 + (n + 0.7) * tall, name, 11) for n, name in enumerate(names)]
    for p, measure in enumerate(measures):
        start = left if share_axis else left + p * wide
        scale = _scale(drawing, measures if share_axis else [measure], fields, wide * 0.6)
        if not share_axis or p == 0:
            shapes.append(_label(start, 11, drawing.caption(measure), 10, "#555"))
        for n, key in enumerate(keys):
            rows = [row for row in drawing.rows if tuple(row[field] for field in fields) == key]
            at = _Place(start, 18 + n * tall, tall, scale)
            if not share_axis:
                shapes += _stack(drawing, rows, measure, at)
            elif "GanttBar" in drawing.marks and p == 0:
                shapes += _interval(drawing, rows, measure, at)
            elif MULTIPLE_VALUES in drawing.shelf("cols") or p:
                shapes += _dots(rows, measure, at, drawing.series(p))
            else:
                shapes += _stack(drawing, rows, measure, at)
    return _svg(drawing, "".join(shapes))


@dataclass(frozen=True)
class _Place:
    """A row of a panel: where its axis begins, its top and height, and how far values are from the axis's beginning."""

    left: float
    top: float
    height: float
    scale: Callable[[float], float]


def _stack(drawing: Drawing, rows: list[Row], measure: str, at: _Place) -> list[str]:
    by, total, shapes = _stacks(drawing), 0.0, []
    for row in _in_order(drawing, by, rows):
        value = row[_field(measure)] or 0
        start, end = at.scale(total), at.scale(total + value)
        fill = drawing.colour(by, row[by]) if by else _mark_colour(drawing)
        shapes.append(_rectangle(at.left + start, at.top + at.height * 0.15, end - start, at.height * 0.7, fill))
        total += value
    if not by:
        end = at.left + at.scale(max(total, 0)) + 3
        shapes.append(_label(end, at.top + at.height * 0.7, formatted(drawing.sheet, measure, total), 10))
    return shapes


def _interval(drawing: Drawing, rows: list[Row], measure: str, at: _Place) -> list[str]:
    size = _field(drawing.encoded("size")[0])
    ends = [(row[_field(measure)], row[size]) for row in rows if row[_field(measure)] is not None]
    return [
        _rectangle(
            at.left + at.scale(low),
            at.top + at.height * 0.4,
            at.scale(low + long) - at.scale(low),
            at.height * 0.2,
            "#999",
        )
        for low, long in ends
    ]


def _dots(rows: list[Row], measure: str, at: _Place, fill: str) -> list[str]:
    values = [row[_field(measure)] for row in rows if row[_field(measure)] is not None]
    return [_dot(at.left + at.scale(value), at.top + at.height / 2, fill) for value in values]


def _scale(drawing: Drawing, measures: list[str], fields: list[str], wide: float) -> Callable[[float], float]:
    totals: dict[tuple[Any, ...], float] = {}
    for n, measure in enumerate(measures):
        for row in drawing.rows:
            key = (n, *(row[field] for field in fields))
            totals[key] = totals.get(key, 0) + (row[_field(measure)] or 0)
    for size in drawing.encoded("size"):
        totals |= {("end", n): row[_field(measures[0])] + row[_field(size)] for n, row in enumerate(drawing.rows)}
    lowest, highest = min(0.0, *totals.values()), max(0.0, *totals.values())
    return lambda value: (value - lowest) / ((highest - lowest) or 1) * wide


def _lines(drawing: Drawing, rows: list[str], across: str) -> str:
    """Points and lines over a continuous axis, a panel for each member of what is on the rows."""
    by = [_field(name) for name in rows if not _is_measure(name)]
    measures = [_field(name) for name in rows if _is_measure(name)]
    x = _field(across)
    panels = drawing.members(by[0]) if by else [None]
    tall = drawing.height / max(len(panels), 1)
    at = {value: n for n, value in enumerate(sorted({row[x] for row in drawing.rows if row[x] is not None}))}
    shapes = []
    for p, panel in enumerate(panels):
        points = [row for row in drawing.rows if not by or row[by[0]] == panel]
        values = [row[m] for row in points for m in measures if row[m] is not None]
        lowest, highest = min(values, default=0), max(values, default=1)
        left = 130 if by else 20
        if by:
            shapes.append(_label(0, p * tall + tall / 2, formatted(drawing.sheet, rows[0], panel), 11))
        for n, measure in enumerate(measures):
            placed = [
                (
                    left + (drawing.width - left - 10) * _share(row[x], at),
                    p * tall + 4 + (tall - 8) * (1 - (row[measure] - lowest) / ((highest - lowest) or 1)),
                )
                for row in sorted((r for r in points if r[x] is not None), key=lambda r: r[x])
                if row[measure] is not None
            ]
            shapes += [_dot(a, b, drawing.series(n)) for a, b in placed] if n == 0 else []
            path = " ".join(f"{a:.1f},{b:.1f}" for a, b in placed)
            if n or by:
                shapes.append(f'<polyline points="{path}" fill="none" stroke="{drawing.series(n)}"/>')
    return _svg(drawing, "".join(shapes))


def _share(value: Any, at: dict[Any, int]) -> float:
    if isinstance(value, float):
        return value / (max(at) or 1)
    return at[value] / max(len(at) - 1, 1)


def _mark_colour(drawing: Drawing) -> str:
    found = drawing.sheet.element.find(".//format[@attr='mark-color']")
    return BLUE if found is None else found.get("value")


def _label(x: float, y: float, text: str, size: int, fill: str = "#333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{fill}">{escape(text)}</text>'


def _rectangle(x: float, y: float, width: float, height: float, fill: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}" fill="{fill}"/>'


def _dot(x: float, y: float, fill: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{fill}"/>'


def _svg(drawing: Drawing, shapes: str) -> str:
    return f'<svg width="{drawing.width:.0f}" height="{max(drawing.height, 0):.0f}">{shapes}</svg>'
