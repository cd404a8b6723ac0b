"""The workbook in French: captions, titles, tooltips, names of sheets, values, calculations and formats.

Words are those of the page where it has them; `french.yml` has the others. Fields keep their names, so that what refers
to them stays the same. Values are translated by Tableau's aliases where they are few, within the calculation where it
says them, and phrase by phrase where they are sentences with figures (`sentences.py`)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote
from xml.etree import ElementTree as ET

import yaml

from flows.adapters.dashboard.phrases import Phrasebook, labels, phrases, typeset
from flows.adapters.tableau.files import USER_NAMESPACE
from flows.adapters.tableau.formulas import french_formula
from flows.adapters.tableau.sentences import sentence_in_french
from functions.churn_api.contract import FEATURE_NAMES

LOCALE = "fr_FR"
SEGMENT_FIELDS = ("segment", "c_previous_segment", "c_segment")
_FIELD = re.compile(r"<[^<>]*>")
_FORMATS = (  # of dates, which name their parts in an order; numbers and per cents follow the workbook's locale
    ("yyyy-MM-dd HH:mm", 'dd/MM/yyyy H" h "mm'), ("yyyy-MM-dd", "dd/MM/yyyy"), ('yyyy "Q"q', '"T"q yyyy'),
    ("0%", '0" %"'),
)  # fmt: skip


def in_french(workbook: bytes, definitions: Mapping[str, str]) -> bytes:
    """The workbook as French readers see it. A text without a translation stays as it is.

    definitions: what each segment means in the shop, by its name."""
    root = ET.fromstring(workbook)  # noqa: S314  our own file
    root.set("locale", LOCALE)
    aliases = aliases_by_field(definitions)
    sentences = sentences_by_field(tuple(definitions))
    for column in root.iter("column"):
        _translate_column(column, aliases.get(_name(column), {}), sentences)
    for element in root.iter():
        if caption := element.get("caption"):
            element.set("caption", _translated(caption))
        if element.tag == "run" and element.text:
            element.text = _translated(element.text)
        if element.get("name") == "field-captions":
            element.set("value", ",".join(map(_translated, element.get("value", "").split(","))))
    _rename_sheets(root)
    ET.register_namespace("user", USER_NAMESPACE)  # the prefix that Tableau writes and some parsers require
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def texts_of(workbook: bytes) -> set[str]:
    """Every caption, title and tooltip, with {1} for its first field; without those that are a field alone."""
    root = ET.fromstring(workbook)  # noqa: S314  our own file
    texts = [element.get("caption", "") for element in root.iter()]
    texts += [element.text or "" for element in root.iter("run")]
    found = {_numbered(text)[0].strip() for text in texts}
    return {one for one in found if re.search(r"[A-Za-z]{2}", re.sub(r"\{\d+\}", "", one))}


def sentences_by_field(segments: Sequence[str]) -> dict[str, str]:
    """Formulas in French of each field that has sentences with figures."""
    return {
        field: sentence_in_french(f"[{field}]", groups, segments) for field, groups in _content()["sentences"].items()
    }


def aliases_by_field(definitions: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """French names by value, of each field that has few values."""
    book = Phrasebook(phrases())
    lists: Mapping[str, Sequence[str]] = _content()["aliases"]
    found = {field: {value: _name_of(value) for value in values} for field, values in lists.items()}
    for field in SEGMENT_FIELDS:
        found[field] = {name: book.translated(name) for name in definitions} | found.get(field, {})
    for field, groups in _content()["phrases"].items():
        found[field] = _distinct(phrases(*groups)) | found.get(field, {})
    features = Phrasebook(_content()["features"])
    found["feature"] = {name: features.translated(name) for name in FEATURE_NAMES}
    found["definition"] = {text: book.translated(text) for text in definitions.values()}
    return found


@cache
def words() -> Mapping[str, str]:
    """French by English of texts without fields: the page's, where it has one for all its uses, and the workbook's."""
    of_the_page: dict[str, set[str]] = {}
    for both in labels().values():
        of_the_page.setdefault(both["en"], set()).add(typeset(both["fr"]))
    alone = {english: next(iter(french)) for english, french in of_the_page.items() if len(french) == 1}
    plain = {english: typeset(french) for english, french in phrases().items() if "{" not in english}
    of_the_workbook: Mapping[str, str] = _content()["texts"]
    return {**plain, **{english: french for english, french in alone.items() if "{" not in english}, **of_the_workbook}


def word(english: str) -> str:
    """A text without a translation stays as it is."""
    return words().get(english, english)


def _name_of(value: str) -> str:
    """A value's French: names on the page may begin with a capital."""
    return words().get(value) or word(value.capitalize())


def _translate_column(column: ET.Element, aliases: Mapping[str, str], sentences: Mapping[str, str]) -> None:
    for english, french in _FORMATS:
        if (shown := column.get("default-format")) and shown.startswith("*") and english in shown:
            column.set("default-format", shown.replace(english, french))
            break
    calculation = column.find("calculation")
    if column.get("param-domain-type"):
        _name_members(column, _content()["parameters"].get(_name(column), ()))
    elif aliases:
        _add_aliases(column, aliases)
    elif calculation is not None:
        calculation.set("formula", french_formula(calculation.get("formula", ""), word, sentences))


def _name_members(parameter: ET.Element, values: Iterable[str]) -> None:
    """Aliases of a parameter's values, as Tableau keeps them: of its own value, of all, and of its members."""
    names = {f'"{value}"': _name_of(value) for value in values}
    if not names:
        return
    parameter.set("alias", names[parameter.get("value", "")])
    for member in parameter.iter("member"):
        member.set("alias", names[member.get("value", "")])
    _add_aliases(parameter, {value.strip('"'): name for value, name in names.items()})


def _add_aliases(column: ET.Element, aliases: Mapping[str, str]) -> None:
    if column.find("aliases") is not None:
        return
    calculation = column.find("calculation")
    element = ET.Element("aliases")
    column.insert(0 if calculation is None else 1, element)
    for value, name in aliases.items():
        ET.SubElement(element, "alias", {"key": f'"{value}"', "value": name})


def _distinct(names: Mapping[str, str]) -> dict[str, str]:
    """No two values of a field may have the same alias."""
    found: dict[str, str] = {}
    for value, name in names.items():
        found[value] = f"{name} ({value})" if name in found.values() else name
    return found


def french_name(sheet: str) -> str:
    """What a worksheet or dashboard is called in French."""
    return str(_content()["sheets"].get(sheet, sheet))


def _rename_sheets(root: ET.Element) -> None:
    """Sheets by their French names, also where zones, windows and actions name them."""
    for element in root.iter():
        if element.tag in ("worksheet", "dashboard", "window", "viewpoint", "zone"):
            _rename(element, "name")
        elif element.tag == "source":
            _rename(element, "dashboard")
            _rename(element, "worksheet")
        elif element.tag == "param" and element.get("name") in ("target", "exclude"):
            listed = element.get("value", "").split(",")
            element.set("value", ",".join(map(french_name, listed)))
        elif element.tag == "link" and (expression := element.get("expression", "")).startswith("tsl:"):
            sheet, _, filtered = expression.removeprefix("tsl:").partition("?")
            element.set("expression", f"tsl:{quote(french_name(unquote(sheet)))}?{filtered}")


def _rename(element: ET.Element, attribute: str) -> None:
    if name := element.get(attribute):
        element.set(attribute, french_name(name))


def _translated(text: str) -> str:
    numbered, fields = _numbered(text)
    core = numbered.strip()
    if core not in words():
        return text
    start = numbered.index(core)
    whole = numbered[:start] + words()[core] + numbered[start + len(core) :]
    return re.sub(r"\{(\d+)\}", lambda found: fields[int(found[1]) - 1], whole)


def _numbered(text: str) -> tuple[str, list[str]]:
    fields = _FIELD.findall(text)
    numbers = iter(range(1, len(fields) + 1))
    return _FIELD.sub(lambda _: f"{{{next(numbers)}}}", text), fields


def _name(column: ET.Element) -> str:
    return column.get("name", "")[1:-1]


@cache
def _content() -> Mapping[str, Any]:
    content: Mapping[str, Any] = yaml.safe_load(Path(__file__).with_name("french.yml").read_text(encoding="utf-8"))
    return content
