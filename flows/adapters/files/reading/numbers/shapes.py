"""What written numbers say about how their column writes numbers: decimal sign, thousands, currencies. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from flows.sources.mappings import NumberFormat

Decimal = Literal["point", "comma"]
DECIMALS: tuple[Decimal, Decimal] = ("point", "comma")
# a share of values that contradict the rest: below it they are mistakes, and rejected one by one
MAX_MISTAKES = 0.01

_SPACES = " \u00a0\u202f\u2009"
_SIGNS = "-+−–"
# what stands for no cents: 12,- and 12.--
_NO_CENTS = "[-–—]{1,2}"
# what currencies are written as, without a dot behind; None: several currencies are written so
_SYMBOLS: dict[str, str | None] = {
    "€": "EUR", "£": "GBP", "$": None, "¥": None, "￥": None, "₹": "INR", "₺": "TRY", "₽": "RUB", "₴": "UAH",
    "₩": "KRW", "₪": "ILS", "₫": "VND", "฿": "THB", "₱": "PHP", "₦": "NGN", "₡": "CRC", "us$": "USD", "a$": "AUD",
    "au$": "AUD", "c$": "CAD", "ca$": "CAD", "nz$": "NZD", "hk$": "HKD", "s$": "SGD", "nt$": "TWD", "r$": "BRL",
    "mx$": "MXN", "zł": "PLN", "kč": "CZK", "kr": None, "ft": "HUF", "lei": "RON", "лв": "BGN", "din": "RSD",
    "руб": "RUB", "fr": None, "sfr": "CHF", "rs": None, "rm": "MYR", "r": "ZAR", "tl": "TRY", "rp": "IDR",
    "euro": "EUR", "euros": "EUR", "us dollar": "USD", "pound sterling": "GBP", "swiss franc": "CHF",
}  # fmt: skip
_CODES = frozenset(
    """AED ALL AMD ARS AUD AZN BAM BDT BGN BHD BOB BRL BYN CAD CHF CLP CNY COP CRC CZK DKK DOP DZD EGP EUR GBP GEL GHS
    GTQ HKD HNL HRK HUF IDR ILS INR ISK JMD JOD JPY KES KRW KWD KZT LBP LKR MAD MDL MKD MUR MXN MYR NGN NOK NZD OMR PAB
    PEN PHP PKR PLN PYG QAR RON RSD RUB SAR SEK SGD THB TND TRY TTD TWD TZS UAH UGX USD UYU UZS VND XAF XOF ZAR ZMW
    """.split()  # noqa: SIM905
)
_WORD = re.compile(rf"[^\d.,'’()+−–—\-{_SPACES}]+")
_UNGROUPED = re.compile(r"(^|[^\d.,])\d{4,}")


@dataclass
class NumberEvidence:
    """How many values of a column fit which reading, with an example of each. `either`: by the sign that may be a
    decimal sign or one of thousands. `currencies`: as written → ISO code, where that is known."""

    values: int = 0
    only: dict[Decimal, int] = field(default_factory=lambda: {"point": 0, "comma": 0})
    either: dict[str, int] = field(default_factory=lambda: {".": 0, ",": 0})
    unreadable: int = 0
    has_ungrouped_thousands: bool = False
    currencies: dict[str, str | None] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, text: str, count: int) -> None:
        """Takes in `count` values of the shape of `text`. What has no digit is a way to write nothing."""
        if not re.search(r"\d", text):
            return
        self.values += count
        currency = currency_in(text)
        is_known = currency is None or is_currency(currency)
        fits: list[Decimal] = [decimal for decimal in DECIMALS if is_known and _matches(decimal, currency, text)]
        if not fits:
            self.unreadable += count
            self.examples.setdefault("unreadable", text)
            return
        if currency:
            self.currencies[currency] = code_of(currency)
        bare = text.replace(currency, "") if currency else text
        sign = next((sign for sign in ".," if sign in bare), None)
        if len(fits) == 1:
            self.only[fits[0]] += count
            self.examples.setdefault(fits[0], text)
        elif sign:
            self.either[sign] += count
            self.examples.setdefault(sign, text)
        self.has_ungrouped_thousands |= bool(_UNGROUPED.search(bare))

    @property
    def is_mixed(self) -> bool:
        """Whether some values use a point and some a comma as decimal sign."""
        return min(self.only.values()) > MAX_MISTAKES * sum(self.only.values())

    def contradicts(self, other: "NumberEvidence") -> bool:
        """Whether most values say another decimal sign than those of the other do."""
        return any(self.only.values()) and self.decimal != other.decimal

    @property
    def decimal(self) -> Decimal | None:
        """The decimal sign; None where the values do not say. Without any sign it is a point."""
        if self.is_mixed:
            return None
        if any(self.only.values()):
            majority: Decimal = max(DECIMALS, key=lambda decimal: self.only[decimal])
            return majority
        signs = [sign for sign, count in self.either.items() if count]
        if len(signs) == 1 and self.has_ungrouped_thousands:  # whoever writes 1500 does not write 1.500
            return "point" if signs == ["."] else "comma"
        return None if signs else "point"


def gather(values: Iterable[tuple[str, int]]) -> NumberEvidence:
    """What (example, count) of each shape of a column's values say."""
    evidence = NumberEvidence()
    for text, count in values:
        evidence.add(text, count)
    return evidence


def decided_by_others(evidence: NumberEvidence, others: Iterable[Decimal | None]) -> Decimal | None:
    """The decimal sign of a column whose values do not say, from that of the other columns of the file. Programs write
    raw numbers with a point beside prices with a comma, but not the other way round."""
    known = set(others) - {None}
    if evidence.is_mixed or len(known) != 1:
        return None
    [decimal] = known
    return None if decimal == "comma" and evidence.either["."] else decimal


def number_format(decimal: Decimal, currencies: dict[str, str | None]) -> NumberFormat:
    """What dbt's staging needs to know."""
    longest_first = dict(sorted(currencies.items(), key=lambda item: (-len(item[0]), item[0])))
    if len(currencies) > 1:  # a sign of several currencies is then taken for one of its own, and not added up
        longest_first = {written: code or written.rstrip(".").upper() for written, code in longest_first.items()}
    noise = ("," if decimal == "point" else ".") + "'’()—" + _SIGNS + _SPACES
    characters = noise if decimal == "point" else "," + noise
    return NumberFormat(
        pattern=number_pattern(decimal, tuple(longest_first)),
        currencies=longest_first,
        characters=characters,
        replacements="" if decimal == "point" else ".",
    )


def currency_in(text: str) -> str | None:
    """What is written beside the digits, with the dot of an abbreviation; None where there is nothing."""
    found = _WORD.search(text)
    if found is None:
        return None
    word = found.group()
    return f"{word}." if word.isalpha() and f"{word}." in text else word


def is_currency(written: str) -> bool:
    plain = written.rstrip(".")
    return plain.upper() in _CODES or plain.casefold() in _SYMBOLS


def code_of(written: str) -> str | None:
    """The ISO code, where only one currency is written so."""
    plain = written.rstrip(".")
    return plain.upper() if plain.upper() in _CODES else _SYMBOLS.get(plain.casefold())


@lru_cache(maxsize=256)
def number_pattern(decimal: Decimal, currencies: Sequence[str]) -> str:
    """A regular expression, for DuckDB, Snowflake and Python, of all ways to write a number: groups of three (or of
    two, as in India), a currency before or behind, and a minus before or behind or parentheses."""
    mark, comma = ("[.]", ",") if decimal == "point" else (",", ".")
    space, sign = f"[{_SPACES}]*", f"[{_SIGNS}]"
    whole = f"[1-9][0-9]{{0,2}}([{comma}'’{_SPACES}][0-9]{{3}})+|[0-9]+"
    if decimal == "point":
        whole += "|[1-9][0-9]?(,[0-9]{2})+,[0-9]{3}"
    number = f"(({whole})({mark}([0-9]*|{_NO_CENTS}))?|{mark}[0-9]+)"
    if not currencies:
        return f"({sign}{space})?{number}|{number}{space}{sign}|[(]{space}{sign}?{number}{space}[)]"
    currency = "(" + "|".join(map(_escaped, currencies)) + ")"
    before, behind = f"({currency}{space})?", f"({space}{currency})?"
    return "|".join(
        (
            f"({sign}{space})?{before}{number}{behind}",
            f"{currency}{space}{sign}{space}{number}",
            f"{before}{number}{behind}{space}{sign}",
            f"{number}{sign}{space}{currency}",
            f"[(]{space}{sign}?{before}{number}{behind}{space}[)]",
            f"{currency}{space}[(]{number}[)]",
            f"[(]{number}[)]{space}{currency}",
        )
    )


def _matches(decimal: Decimal, currency: str | None, text: str) -> bool:
    return re.fullmatch(number_pattern(decimal, (currency,) if currency else ()), text) is not None


def _escaped(text: str) -> str:
    return "".join(character if character.isalnum() else f"[{character}]" for character in text)
