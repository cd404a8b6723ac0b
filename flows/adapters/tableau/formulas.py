"""Formulas of Tableau's calculations in French: the texts that they give, and days as French writes them."""

import re
from collections.abc import Callable, Iterator, Mapping

_LITERAL = re.compile(r'(?P<compared>(?:=|<>|WHEN)\s*)?"(?P<text>[^"]*)"')  # what is compared is a value of the marts
_DAY = re.compile(r"_on\]|_date\]|DATE\(")  # in this project's names, what STR makes a text of


def french_formula(formula: str, word: Callable[[str], str], sentences: Mapping[str, str]) -> str:
    """The formula with its texts in French. `sentences`: by field, the formula that translates what it says."""
    formula = _LITERAL.sub(lambda found: found[0] if found["compared"] else f'"{word(found["text"])}"', formula)
    for inner in set(_texts_of_days(formula)):
        formula = formula.replace(f"STR({inner})", _day(inner))
    for field, french in sentences.items():
        formula = formula.replace(f"[{field}]", french)
    return formula


def _texts_of_days(formula: str) -> Iterator[str]:
    """What STR( ) encloses, where it is a date."""
    for found in re.finditer(r"STR\(", formula):
        depth, end = 1, found.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(formula[end], 0)
            end += 1
        inner = formula[found.end() : end - 1]
        if _DAY.search(inner):
            yield inner


def _day(date: str) -> str:
    """31/12/2026; null where the date is."""
    day, month = (f'RIGHT("0" + STR({part}({date})), 2)' for part in ("DAY", "MONTH"))
    return f'({day} + "/" + {month} + "/" + STR(YEAR({date})))'
