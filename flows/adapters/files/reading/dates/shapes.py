"""What a written moment may mean: which rewrites make it plain, and in which formats it can be read then. Pure.

Formats are strptime codes or names of mappings.TimestampFormat. Where day and month may be exchanged, a text has a
format for each order.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from flows.sources.mappings import ISO, OFFSETS

Order = Literal["day_first", "month_first", "year_first"]
ORDERS: tuple[Order, ...] = ("day_first", "month_first", "year_first")
# order, or None where there is only one → format
Readings = dict[Order | None, str]
Rewrite = tuple[str, str]
# a share of values that contradict the rest: below it they are mistakes, and rejected one by one
MAX_MISTAKES = 0.02
# … of another kind than the rest of a column
MAX_OTHERS = 0.05
# fewer dates may spread over any time
MIN_VALUES_OF_SPREAD = 30

_OFFSET = re.compile(r"(:\d\d(\.\d+)?( ?[AaPp][Mm])?)[+-]\d\d:\d\d$")
_MONTHS = (
    ("jan", "ene", "gen"), ("feb", "fev", "fév"), ("mar", "mär", "mrz", "maa"), ("apr", "avr", "abr"),
    ("may", "mai", "mag", "mei", "maj"), ("jun", "juin", "giu"), ("jul", "juil", "lug"), ("aug", "aou", "aoû", "ago"),
    ("sep", "set"), ("oct", "okt", "ott", "out"), ("nov",), ("dec", "déc", "dez", "dic"),
)  # fmt: skip


def _any_case(text: str) -> str:
    return "".join(f"[{letter.upper()}{letter}]" for letter in text)


def _month(number: int, names: Sequence[str]) -> Rewrite:
    """The month's name to ~ and its number: no date has such a sign, and no format means something by it."""
    return f"({'|'.join(map(_any_case, names))})[^0-9 .,/-]*", f"~{number:02d}"


_NAMED_MONTHS = tuple(_month(number, names) for number, names in enumerate(_MONTHS, 1))
_NAME = re.compile("|".join(pattern for pattern, _ in _NAMED_MONTHS))
# in this order; each is used where a value of the column needs it
_REWRITES: tuple[Rewrite, ...] = (
    ("[\u00a0\u202f\u2009\t]", " "),
    ("  +", " "),
    (r" *[(][^)]*[)]$", ""),  # (Central European Standard Time)
    (r"\[[^]]*\]$", ""),  # [Europe/Berlin]
    (r"([AaPp])[.] ?[Mm][.]?", r"\1M"),
    (" [Uu]hr$", ""),
    *OFFSETS,
    (r"(:\d\d([.,]\d+)?( ?[AaPp][Mm])?) [A-Z]{3,5}$", r"\1"),  # CET, PST: the shop's own
    (r"(:\d\d)[.,]\d+", r"\1"),
    (r"([0-9])(st|nd|rd|th)([ ,])", r"\1\3"),
    (" (at|um|de|à) ", " "),
    (
        r"^[^0-9 ,.]+[.,]* +(([0-9]{1,2}[.]? )?[^0-9 ,.]{3}.*[0-9].*)$",
        r"\1",
    ),  # the day of the week before a named month
    (r"^[^0-9 ,.]+[.,]* +([0-9]{1,4}[./-][0-9])", r"\1"),  # … before numbers
    (r"^([0-9]{5}),([0-9]+)$", r"\1.\2"),
    (r"^([0-9]{8}T[0-9]{6})Z$", r"\1"),
)
_AFTER_MONTH: Rewrite = (r"(~[0-9]{2})[.] ", r"\1 ")

_TIME = r"(?P<gap>,? |T| - |-)(?P<hour>\d{1,2}):\d\d(?P<seconds>:\d\d)?(?P<half> ?[AaPp][Mm])?"
_SEPARATED = re.compile(rf"(?P<a>\d{{1,4}})(?P<by>[-/. ])(?P<b>\d{{1,2}})(?P=by)(?P<c>\d{{1,4}})({_TIME})?")
_NAMED = re.compile(
    rf"((?P<first>\d{{1,4}})(?P<gap1>[-/., ]+))?~\d\d(?P<gap2>[-/., ]+)(?P<second>\d{{1,4}})"
    rf"((?P<gap3>[-/., ]+)(?P<third>\d{{4}}|\d\d))?({_TIME})?"
)
_ASCTIME = re.compile(r"~\d\d \d{1,2} \d\d:\d\d:\d\d \d{4}")
_COUNTS = {
    r"\d{10}([.]\d+)?": "unix_seconds",
    r"\d{13}([.]\d+)?": "unix_milliseconds",
    r"\d{16}": "unix_microseconds",
    r"\d{5}([.]\d+)?": "excel_serial",
    r"\d{14}": "%Y%m%d%H%M%S",
    r"\d{12}": "%Y%m%d%H%M",
    r"\d{8}T\d{6}": "%Y%m%dT%H%M%S",
}
_COMPACT: Readings = {"day_first": "%d%m%Y", "month_first": "%m%d%Y", "year_first": "%Y%m%d"}
_SHORT_COMPACT: Readings = {"day_first": "%d%m%y", "month_first": "%m%d%y", "year_first": "%y%m%d"}
# 2023-04, 04/2023, ~04 2023: of no day
_MONTH_ONLY = re.compile(
    r"(?P<year>(19|20)\d\d)(?P<by>[-/. ]?)(0[1-9]|1[0-2])|(0?[1-9]|1[0-2])(?P<behind>[-/. ])(19|20)\d\d"
    r"|~\d\d[-/., ]*(19|20)\d\d"
)


def rewrites_for(values: Iterable[str]) -> tuple[Rewrite, ...]:
    """The rewrites that any of the values needs, in order."""
    texts, needed = list(values), []
    months = (*_NAMED_MONTHS, _AFTER_MONTH) if any(_NAME.search(text) for text in texts) else ()
    for rewrite in (*_REWRITES, *months):
        changed = [rewritten(text, [rewrite]) for text in texts]
        if changed != texts or rewrite in _NAMED_MONTHS:  # another month may come tomorrow
            needed.append(rewrite)
        texts = changed
    return tuple(needed)


def rewritten(text: str, rewrites: Iterable[Rewrite]) -> str:
    """The text as dbt's staging reads it."""
    for pattern, replacement in rewrites:
        text = re.sub(pattern, replacement, text)
    return text


def has_offset(text: str) -> bool:
    """Whether a rewritten text ends with an offset such as +02:00."""
    return _OFFSET.search(text) is not None


def readings(text: str) -> Readings:
    """The formats that a rewritten text can be read in; none where it is no date."""
    text = _OFFSET.sub(r"\1", text)
    if found := _SEPARATED.fullmatch(text):
        return _separated(found)
    if found := _NAMED.fullmatch(text):
        return _named(found)
    if _ASCTIME.fullmatch(text):
        return {None: "~%m %d %H:%M:%S %Y"}
    if re.fullmatch(r"\d{8}", text):
        return _COMPACT
    if re.fullmatch(r"\d{6}", text):
        return _SHORT_COMPACT
    counted = next((form for pattern, form in _COUNTS.items() if re.fullmatch(pattern, text)), None)
    return {None: counted} if counted else {}


def month_format(text: str) -> str | None:
    """The format of a rewritten text that names a month and no day: "" where it has none; None for any other text."""
    found = _MONTH_ONLY.fullmatch(text)
    if found is None:
        return None
    if found["year"]:
        return f"%Y{found['by']}%m"
    return f"%m{found['behind']}%Y" if found["behind"] else ""


def _separated(found: re.Match[str]) -> Readings:
    by, time = found["by"], _time(found)
    digits = len(found["a"]), len(found["c"])
    if digits[0] == 4 and digits[1] <= 2:
        is_iso = by == "-" and len(found["b"]) == len(found["c"]) == 2 and found["gap"] in (None, " ", "T")
        if is_iso and not found["half"] and len(found["hour"] or "00") == 2:
            return {None: ISO}
        return {None: f"%Y{by}%m{by}%d{time}"}
    if digits[0] <= 2 and digits[1] in (2, 4):
        year = "%Y" if digits[1] == 4 else "%y"
        formats: Readings = {
            "day_first": f"%d{by}%m{by}{year}{time}", "month_first": f"%m{by}%d{by}{year}{time}",
        }  # fmt: skip
        if digits == (2, 2):
            formats["year_first"] = f"%y{by}%m{by}%d{time}"
        return formats
    return {}


def _named(found: re.Match[str]) -> Readings:
    time, first, second, third = _time(found), found["first"], found["second"], found["third"]
    if first is None and third and len(second) <= 2:
        return {None: f"~%m{found['gap2']}%d{found['gap3']}{_year(third)}{time}"}
    if first and not third and len(first) <= 2 and len(second) in (2, 4):
        return {None: f"%d{found['gap1']}~%m{found['gap2']}{_year(second)}{time}"}
    if first and not third and len(first) == 4 and len(second) <= 2:
        return {None: f"%Y{found['gap1']}~%m{found['gap2']}%d{time}"}
    return {}


def _year(digits: str) -> str:
    return "%Y" if len(digits) == 4 else "%y"


def _time(found: re.Match[str]) -> str:
    if found["hour"] is None:
        return ""
    half = found["half"]
    seconds = ":%S" if found["seconds"] else ""
    clock = f"%I:%M{seconds}{' ' * half.startswith(' ')}%p" if half else f"%H:%M{seconds}"
    return f"{found['gap']}{clock}"


def meanings_of(text: str, rewrites: Iterable[Rewrite]) -> list[str]:
    """All formats that a text can be read in."""
    return list(readings(rewritten(text, rewrites)).values())


def kind_of(meaning: Readings) -> str:
    """ "exchangeable" where day and month may be, "plain" for other dates, the format of what counts since some day;
    nothing for what is no date."""
    if len(meaning) > 1:
        return "exchangeable"
    form = meaning.get(None, "")
    return form if form in _COUNTS.values() else "plain" if form else ""


def main_kinds(shapes: Mapping[str, tuple[Readings, int]]) -> set[str]:
    """The kinds of dates that a column is of: numbers and dates do not mix, and of both kinds of dates there must be
    many. What is of another kind is a mistake, and rejected."""
    counts: dict[str, int] = {}
    for meaning, count in shapes.values():
        if kind := kind_of(meaning):
            counts[kind] = counts.get(kind, 0) + count
    dates = {kind: counts[kind] for kind in ("exchangeable", "plain") if kind in counts}
    numbers = {kind: count for kind, count in counts.items() if kind not in dates}
    if max(numbers.values(), default=0) > sum(dates.values()):
        return {max(numbers, key=lambda kind: numbers[kind])}
    return {kind for kind, count in dates.items() if count > MAX_OTHERS * sum(dates.values())}


@dataclass(frozen=True)
class Fit:
    """How many values are plausible dates in an order, and over how many days they spread."""

    values: int
    days: int


def choose_order(fits: Mapping[Order, Fit], total: int, dotted: bool) -> Order | Literal["either", "mixed"]:
    """The order in which all values are plausible, or nearly all and no other as many; `total`: those that are in any.
    `dotted`: dates with dots begin with the day wherever they are written. Years that are read as days, and days as
    years, spread over decades: by that, many dates tell the order of a year in two digits."""
    full = [order for order in ORDERS if fits[order].values == total]
    if not full:
        first, second = sorted(ORDERS, key=lambda order: -fits[order].values)[:2]
        nearly = (1 - MAX_MISTAKES) * total
        return first if fits[first].values >= nearly > fits[second].values else "mixed"
    if "year_first" in full and len(full) > 1 and total >= MIN_VALUES_OF_SPREAD:
        others = min(fits[order].days for order in full if order != "year_first")
        if 3 * fits["year_first"].days < others:
            return "year_first"
        if fits["year_first"].days > 3 * others:
            full.remove("year_first")
    if full[:2] == ["day_first", "month_first"] and dotted:
        full.remove("month_first")
    return full[0] if len(full) == 1 else "either"
