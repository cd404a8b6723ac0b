"""A picture of a dashboard: drawn from the workbook's own zones, titles, shelves and formats, and from what Tableau's
engine answers. It is no screenshot of Tableau, and says so: it shows what is where, and whether texts fit."""

import re
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

from lxml import etree

from tests.workbook.document import QUALIFIED, Sheet, Workbook
from tests.workbook.drawing import Drawing, draw, formatted
from tests.workbook.queries import Query, order, query

Ask = Callable[[Query], list[dict[str, Any]]]
NOTE = "Drawn from the workbook's layout and what Tableau's engine answers; not a screenshot of Tableau."
STYLE = """
body { margin: 0; font: 12px/1.3 Arial, sans-serif; color: #333; background: #fff }
main { position: relative } .zone { position: absolute; box-sizing: border-box; padding: 4px; overflow: hidden }
h2 { font-size: 15px; margin: 0 } .title { margin-bottom: 3px } .body { overflow: hidden }
table { border-collapse: collapse; width: 100%; font-size: 11px } td, th { padding: 1px 4px; text-align: left;
  border-bottom: 1px solid #eee; vertical-align: top } th { font-weight: bold; color: #555 }
.number { text-align: right } .control { border: 1px solid #ccc; padding: 2px 4px;
  margin-top: 2px; white-space: nowrap }
.swatch { display: inline-block; width: 10px; height: 10px; margin-right: 5px }
footer { position: absolute; right: 4px; bottom: 0; font-size: 10px; color: #777; background: #fffc }
"""


def page(workbook: Workbook, dashboard: str, ask: Ask, width: int = 1400, height: int = 900) -> str:
    """A dashboard as HTML, of so many pixels."""
    zones = [zone for zone in workbook.dashboards[dashboard].find("zones").iter("zone") if zone.find("zone") is None]
    drawn = "".join(_zone(workbook, zone, ask, width, height) for zone in zones)
    main = f'<main style="width:{width}px;height:{height}px">{drawn}<footer>{NOTE}</footer></main>'
    return f"<!doctype html><meta charset=utf-8><title>{escape(dashboard)}</title><style>{STYLE}</style>{main}"


def _zone(workbook: Workbook, zone: etree._Element, ask: Ask, width: int, height: int) -> str:
    x, y, w, h = (int(zone.get(side)) / 100_000 for side in "xywh")
    place = f"left:{x * width:.0f}px;top:{y * height:.0f}px;width:{w * width:.0f}px;height:{h * height:.0f}px"
    kind, name = zone.get("type-v2"), zone.get("name")
    if kind == "text":
        content = _runs(zone.find("formatted-text"), {})
    elif kind == "paramctrl":
        [(_, parameter)] = QUALIFIED.findall(zone.get("param"))
        element = workbook.parameters[parameter]
        content = _control(element.get("caption"), _chosen(element))
    elif kind == "filter":
        is_french = workbook.root.get("locale") == "fr_FR"
        content = _control(_caption(workbook.sheets[name], zone.get("param")), "(Tous)" if is_french else "(All)")
    elif kind == "color":
        content = _legend(workbook.sheets[name], zone.get("param"), ask)
    else:
        content = _worksheet(
            workbook.sheets[name], ask, zone.get("show-title") != "false", w * width - 8, h * height - 8
        )
    return f'<div class=zone style="{place}">{content}</div>'


def _worksheet(sheet: Sheet, ask: Ask, has_title: bool, width: float, height: float) -> str:
    asked = query(sheet)
    rows = ask(asked)
    texts = {f"[{sheet.source.name}].[{name}]": _text(sheet, name, rows) for name in sheet.shown}
    texts |= {f"[Parameters].[{name}]": _chosen(element) for name, element in sheet.workbook.parameters.items()}
    title = sheet.element.find("layout-options/title/formatted-text")
    head = f"<div class=title>{_runs(title, texts)}</div>" if has_title and title is not None else ""
    label = sheet.element.find("table/panes/pane/customized-label/formatted-text")
    if not rows:
        return head
    if label is not None and not any(sheet.element.findtext(f"table/{shelf}") for shelf in ("rows", "cols")):
        return head + _runs(label, texts)
    sorted_by = order(sheet)
    members = [row[sorted_by.dimensions[0]] for row in ask(sorted_by)] if sorted_by else []
    lines = 2 if "\n" in "".join(title.itertext() if title is not None else ()) else 1
    return head + draw(Drawing(sheet, rows, members, width, height - (lines * 16 + 6 if head else 0)))


def _text(sheet: Sheet, name: str, rows: list[dict[str, Any]]) -> str:
    """The value of a field in a title or label: Tableau writes "All" where there are several."""
    field = name.split(":")[1]
    values = {row[field] for row in rows}
    return formatted(sheet, name, values.pop()) if len(values) == 1 else "All"


def _runs(text: etree._Element, values: dict[str, str]) -> str:
    return "".join(_styled(run, values) for run in text)


def _styled(run: etree._Element, values: dict[str, str]) -> str:
    text = (run.text or "").replace("Æ", "")
    filled = escape(re.sub(r"<(\[[^\]]+\]\.\[[^\]]+\])>", lambda found: values.get(found[1], "All"), text))
    weight = "font-weight:bold;" if run.get("bold") == "true" else ""
    colour = f"color:{run.get('fontcolor')};" if run.get("fontcolor") else ""
    size = f"font-size:{int(run.get('fontsize', 9)) * 4 / 3:.0f}px;"  # points
    return f'<span style="{weight}{colour}{size}">{filled}</span>'.replace("\n", "<br>")


def _chosen(parameter: etree._Element) -> str:
    return parameter.get("alias") or parameter.get("value").strip('"')


def _control(caption: str, value: str) -> str:
    return f"<div>{escape(caption)}</div><div class=control>{escape(value)} ▾</div>"


def _caption(sheet: Sheet, param: str) -> str:
    [(_, instance)] = QUALIFIED.findall(param)
    return sheet.source.columns[instance.split(":")[1]].get("caption")


def _legend(sheet: Sheet, param: str, ask: Ask) -> str:
    drawing = Drawing(sheet, ask(query(sheet)), [], 0, 0)
    [(_, instance)] = QUALIFIED.findall(param)
    return "".join(_entries(sheet, drawing, instance))


def _entries(sheet: Sheet, drawing: Drawing, instance: str) -> Iterator[str]:
    if instance == ":Measure Names":
        for n, name in enumerate(sheet.measure_values):
            yield _entry(drawing.series(n), drawing.caption(name))
        return
    field = instance.split(":")[1]
    yield f"<div>{escape(drawing.caption(instance))}</div>"
    if instance.endswith(":qk"):
        values = drawing.values(field)
        for value in (min(values, default=0), max(values, default=0)):
            yield _entry(drawing.shade(field, value), formatted(sheet, instance, value))
        return
    for member in drawing.members(field):
        yield _entry(drawing.colour(field, member), formatted(sheet, instance, member))


def _entry(colour: str, text: str) -> str:
    return f'<div><span class=swatch style="background:{colour}"></span>{escape(text)}</div>'
