"""The words of the page, for what says the same elsewhere."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

_TEXTS = Path(__file__).parent / "texts.yml"
_NARROW = "\u202f"
_PLACE = re.compile(r"\{[…¤=]?\}")
_PATTERNS = {"{}": r"([+-]?\d[\d,.%-]*)", "{¤}": r"(\d[\d,.]*(?: [A-Z]{3})?)", "{…}": "(.+?)", "{=}": "(.+?)"}
_FIGURE = re.compile(r"[+-]?\d[\d,]*(\.\d+)?(%| [A-Z]{3})?")


class Phrasebook:
    """French of English texts, by phrases like those of the page: {} is a number, {¤} an amount of money, {…} anything,
    which is translated again, {=} a name of the shop's, which is not."""

    def __init__(self, phrases: Mapping[str, str]):
        self._phrases = {english: typeset(french) for english, french in phrases.items()}

    def translated(self, english: str) -> str:
        """A text without a phrase stays as it is."""
        if found := self._phrases.get(english):
            return found
        for pattern, places, french in self._patterns:
            if match := pattern.fullmatch(english):
                values = zip(places, match.groups(), strict=True)
                return french.format(*(of if place == "{=}" else self.translated(figure(of)) for place, of in values))
        return english

    @cached_property
    def _patterns(self) -> Sequence[tuple[re.Pattern[str], Sequence[str], str]]:
        return [
            (re.compile(_as_pattern(english), re.DOTALL), places, french)
            for english, french in self._phrases.items()
            if (places := _PLACE.findall(english))
        ]


def in_french(names: Iterable[str]) -> dict[str, str]:
    """The names by what they are called in French; those without a translation are left out."""
    french = phrases()
    return {french[name]: name for name in names if name in french}


def label(name: str, language: str) -> str:
    """A word of the page. `language`: en or fr."""
    return str(_texts()["labels"][name][language])


def labels() -> Mapping[str, Mapping[str, str]]:
    """All words of the page, by name and language."""
    found: Mapping[str, Mapping[str, str]] = _texts()["labels"]
    return found


def phrases(*groups: str) -> dict[str, str]:
    """French by English of what the warehouse says, of some groups of texts.yml or of all."""
    found: Mapping[str, Sequence[Sequence[str]]] = _texts()["phrases"]
    return {english: french for group in groups or found for english, french in found[group]}


def typeset(french: str) -> str:
    """French as it is set: narrow spaces that no line breaks at, and curved apostrophes."""
    spaced = re.sub(r" ([:;?!»%])", _NARROW + r"\1", french).replace("« ", f"«{_NARROW}")
    return spaced.replace("'", "’")


def parts(phrase: str) -> list[str]:
    """A phrase without its places: what is before, between and after them."""
    return _PLACE.split(phrase)


def figure(text: str) -> str:
    """A number as French writes it, with its per cent or currency; another text as it is."""
    if not _FIGURE.fullmatch(text):
        return text
    return text.replace(" ", "\u00a0").replace(",", _NARROW).replace(".", ",").replace("%", f"{_NARROW}%")


def _as_pattern(english: str) -> str:
    places = iter(_PLACE.findall(english))
    return "".join(re.escape(part) + _PATTERNS.get(next(places, ""), "") for part in parts(english))


@cache
def _texts() -> dict[str, Any]:
    texts: dict[str, Any] = yaml.safe_load(_TEXTS.read_text(encoding="utf-8"))
    return texts
