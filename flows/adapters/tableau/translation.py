"""The workbook in French: captions, titles and tooltips, and names of values as Tableau's aliases.

Fields, sheets and calculations keep their names, so nothing that refers to them changes. What the marts say in whole
sentences (reasons, actions) stays English."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from html import unescape
from pathlib import Path
from xml.sax.saxutils import escape

import yaml

from flows.adapters.dashboard.phrases import in_french as names_in_french

_TEXTS = Path(__file__).parent / "french.yml"
_CAPTION = re.compile(r'(?<= caption=")[^"]*(?=")')
_RUN = re.compile(r"(?<=>)[^<]*(?=</run>)")
_FIELD = re.compile(r"<[^<>]*>")
# columns of the head of each data source, where Tableau keeps aliases: with a calculation, and without
_COLUMN = re.compile(
    r'(?m)^(?P<margin> {6})(?P<open><column [^>]*?name="\[(?P<name>\w+)\]"[^>]*?)(?:/>|>(?P<inner>.*?)^ {6}</column>)',
    re.DOTALL,
)
_SEGMENTS = ("segment", "c_previous_segment")


def in_french(workbook: bytes, segments: Sequence[str]) -> bytes:
    """The workbook as French readers see it. A text without a translation stays as it is. `segments`: their names."""
    names = {ours: french for french, ours in names_in_french(segments).items()}
    aliases = {**dict.fromkeys(_SEGMENTS, names), **_content()["aliases"]}
    text = workbook.decode()
    text = _CAPTION.sub(lambda found: _quoted(_translated(unescape(found[0]))), text)
    text = _RUN.sub(lambda found: escape(_translated(unescape(found[0]))).replace("\n", "&#10;"), text)
    return _COLUMN.sub(lambda column: _with_aliases(column, aliases.get(column["name"])), text).encode()


def texts_of(workbook: bytes) -> set[str]:
    """Every caption, title and tooltip, with {1} for its first field; without those that are a field alone."""
    text = workbook.decode()
    found = {_numbered(unescape(of))[0].strip() for pattern in (_CAPTION, _RUN) for of in pattern.findall(text)}
    return {one for one in found if re.search(r"[A-Za-z]{2}", re.sub(r"\{\d+\}", "", one))}


def _translated(text: str) -> str:
    numbered, fields = _numbered(text)
    core = numbered.strip()
    french = _french().get(core)
    if french is None:
        return text
    start = numbered.index(core) if core else 0
    whole = numbered[:start] + french + numbered[start + len(core) :]
    return re.sub(r"\{(\d+)\}", lambda found: fields[int(found[1]) - 1], whole)


def _numbered(text: str) -> tuple[str, list[str]]:
    fields = _FIELD.findall(text)
    numbers = iter(range(1, len(fields) + 1))
    return _FIELD.sub(lambda _: f"{{{next(numbers)}}}", text), fields


def _with_aliases(column: re.Match[str], aliases: Mapping[str, str] | None) -> str:
    if not aliases or "<aliases" in (column["inner"] or ""):
        return column[0]
    margin, inner = column["margin"], column["inner"] or "\n"
    lines = [
        f'{margin}    <alias key="&quot;{_quoted(value)}&quot;" value="{_quoted(name)}"/>\n'
        for value, name in aliases.items()
    ]
    return (
        f"{margin}{column['open']}>{inner}{margin}  <aliases>\n{''.join(lines)}{margin}  </aliases>\n{margin}</column>"
    )


@cache
def _content() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    content: Mapping[str, Mapping[str, Mapping[str, str]]] = yaml.safe_load(_TEXTS.read_text(encoding="utf-8"))
    return content


def _french() -> Mapping[str, str]:
    texts: Mapping[str, str] = _content()["texts"]  # type: ignore[assignment]
    return texts


def _quoted(text: str) -> str:
    return escape(text, {'"': "&quot;", "\n": "&#10;"})
