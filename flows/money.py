"""Amounts and shares as people write them."""

_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥"}


def money(value: float | None, currency: str | None) -> str:
    """Whole units with the currency's sign, or its code, or nothing where the currency is not known."""
    if value is None:
        return "–"
    symbol = _SYMBOLS.get(currency or "")
    return f"{symbol}{value:,.0f}" if symbol else f"{value:,.0f} {currency or ''}".rstrip()


def percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"
