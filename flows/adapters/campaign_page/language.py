"""What the page says in a language, and how it writes figures there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from flows.adapters.dashboard.phrases import Phrasebook, phrases

Code = Literal["en", "fr"]
_TEXTS = Path(__file__).parent / "texts.yml"
_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥"}
_NARROW, _NO_BREAK = "\u202f", "\u00a0"
_MONTHS = {
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    "fr": ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."],
}


class Unreadable(ValueError):
    """A text that is no number."""


def preferred(accepted: str) -> Code:
    """The language of an Accept-Language header that the page speaks."""
    weighed = []
    for position, part in enumerate(accepted.split(",")):
        name, _, weight = part.strip().partition(";q=")
        with_weight = re.fullmatch(r"[01](\.\d{0,3})?", weight)
        weighed.append((-float(weight) if with_weight else -1.0, position, name.strip().lower()[:2]))
    return next(("fr" if name == "fr" else "en" for weight, _, name in sorted(weighed) if name in ("en", "fr")), "en")


@dataclass(frozen=True)
class Language:
    code: Code

    def __call__(self, key: str, **values: Any) -> str:
        """A text of the page."""
        text: str = _texts()["labels"][key][self.code]
        return text.format(**values) if values else text

    def count(self, value: float) -> str:
        """A whole number."""
        return self._separated(f"{value:,.0f}")

    def money(self, value: float | None, currency: str | None, digits: int = 0) -> str:
        """An amount with its currency."""
        if value is None:
            return "–"
        amount = self._separated(f"{abs(value):,.{digits}f}")
        # the sign stays on the line of its amount
        minus = "−\u2060" if value < 0 and float(f"{value:.{digits}f}") else ""
        symbol = _SYMBOLS.get(currency or "")
        if self.code == "en" and symbol:
            return f"{minus}{symbol}{amount}"
        return f"{minus}{amount}{_NO_BREAK}{symbol or currency or ''}".rstrip()

    def percent(self, share: float, digits: int = 0) -> str:
        """A share in percent."""
        gap = _NARROW if self.code == "fr" else ""
        return self._separated(f"{100 * share:.{digits}f}") + gap + "%"

    def points(self, share: float) -> str:
        """A difference of shares, of 100 customers."""
        return self("points", n=self._separated(f"{100 * share:.1f}"))

    def day(self, day: date) -> str:
        """A date."""
        first = "1er" if self.code == "fr" and day.day == 1 else str(day.day)
        return f"{first}{_NO_BREAK}{_MONTHS[self.code][day.month - 1]}{_NO_BREAK}{day.year}"

    def month(self, day: date) -> str:
        """The month of a date."""
        return f"{_MONTHS[self.code][day.month - 1]}{_NO_BREAK}{day.year}"

    def name(self, name: str) -> str:
        """A segment, country or channel, as it is called in the language."""
        return self.translated(name)

    def translated(self, text: str) -> str:
        """A text that the flows say in English. One without a translation is shown as it is."""
        return text if self.code == "en" else _phrasebook().translated(text)

    def number(self, text: str) -> float:
        """The number that somebody has typed.

        Raises:
            Unreadable: when it is none, or could be two.
        """
        plain = re.sub(r"[\s\u00a0\u202f€$£%']", "", text).replace("−", "-")
        if self.code == "en" and re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", plain):
            plain = plain.replace(",", "")
        elif self.code == "fr":
            plain = plain.replace(",", ".", 1)
        if not re.fullmatch(r"-?(\d+(\.\d*)?|\.\d+)", plain):
            raise Unreadable(text)
        return float(plain)

    def typed(self, value: float) -> str:
        """A number as somebody would type it."""
        text = f"{value:.10g}"
        return text.replace(".", ",") if self.code == "fr" else text

    def _separated(self, amount: str) -> str:
        if self.code == "en":
            return amount
        return amount.replace(",", _NARROW).replace(".", ",")


@cache
def _texts() -> Mapping[str, Any]:
    content: Mapping[str, Any] = yaml.safe_load(_TEXTS.read_text(encoding="utf-8"))
    return content


def labels() -> Mapping[str, Mapping[str, str]]:
    """All texts of the page by key and language."""
    found: Mapping[str, Mapping[str, str]] = _texts()["labels"]
    return found


@cache
def _phrasebook() -> Phrasebook:
    """What the flows say, with the names that the page of a run has."""
    names = {english: french for english, french in phrases().items() if "{" not in english}
    return Phrasebook(dict(_texts()["phrases"]) | names)
