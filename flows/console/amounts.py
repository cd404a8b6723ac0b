"""Amounts and shares as people write them."""

from collections.abc import Callable, Mapping
from typing import Any

_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥"}


def money(value: float | None, currency: str | None, digits: int = 0) -> str:
    """An amount with the currency's sign or code, or without one where it is unknown; in whole units, or with `digits`
    decimals."""
    if value is None:
        return "–"
    symbol = sign_of(currency)
    amount = f"{abs(value):,.{digits}f}"
    minus = "-" if value < 0 and float(f"{value:.{digits}f}") else ""
    return f"{minus}{symbol}{amount}" if symbol else f"{minus}{amount} {currency or ''}".rstrip()


def sign_of(currency: str | None) -> str | None:
    """The sign of a currency; None where its code stands for it."""
    return _SYMBOLS.get(currency or "")


def percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def with_interval(row: Mapping[str, Any], name: str, say: Callable[[float], str]) -> str:
    """A figure of a row with the ends of its interval; "not known" where one of them is."""
    values = [row[f"{name}{end}"] for end in ("", "_low", "_high")]
    known = [say(value) for value in values if value is not None]
    return f"{known[0]} ({known[1]} to {known[2]})" if len(known) == len(values) else "not known"
