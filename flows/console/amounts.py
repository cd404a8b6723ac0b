"""Amounts and shares as people write them."""

_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥"}


def money(value: float | None, currency: str | None, digits: int = 0) -> str:
    """An amount with the currency's sign or code, or without one where it is unknown; in whole units, or with `digits`
    decimals."""
    if value is None:
        return "–"
    symbol = _SYMBOLS.get(currency or "")
    amount = f"{abs(value):,.{digits}f}"
    minus = "-" if value < 0 and float(f"{value:.{digits}f}") else ""
    return f"{minus}{symbol}{amount}" if symbol else f"{minus}{amount} {currency or ''}".rstrip()


def percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"
