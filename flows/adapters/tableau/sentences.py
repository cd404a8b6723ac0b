"""A calculation that says the marts' English sentences in French, with the figures that they have.

A workbook reads the marts as they are, from an extract or from Snowflake, and the marts say reasons in English with
each customer's figures: too many values for aliases. So the calculation replaces what is between the figures. REPLACE
is what every data source of Tableau's has; regular expressions differ between Hyper and Snowflake."""

from collections.abc import Iterator, Sequence

from flows.adapters.dashboard.phrases import parts, phrases, typeset

_NARROW = "\u202f"
# set apart last, so that no phrase is in French twice
_PUNCTUATION = ("; ", ": ", "%")


def sentence_in_french(text: str, groups: Sequence[str], segments: Sequence[str]) -> str:
    """A formula of `text`, a formula too, by these groups of the page's phrases. Raises as `replacements` does."""
    for english, french in replacements(groups, segments):
        text = f'REPLACE({text}, "{english}", "{french}")'
    return text


def replacements(groups: Sequence[str], segments: Sequence[str]) -> list[tuple[str, str]]:
    """What is replaced by what, in this order. `segments`: names that a sentence may begin with.

    Raises:
        ValueError: when a phrase has words in French where it has none in English.
    """
    names = phrases()
    found = {f"segment {name}: ": f"segment {names[name]}: " for name in segments if name in names}
    for english, french in phrases(*groups).items():
        found.update(_between_figures(english, french))
    steps = sorted(found.items(), key=lambda step: (-len(step[0]), step[0]))  # the longest first: it may hold another
    steps += [(f",{digit}", f"{_NARROW}{digit}") for digit in range(10)]  # thousands, before there are decimal commas
    steps += [(f".{digit}", f",{digit}") for digit in range(10)]
    return steps + [(mark, f"{_NARROW}{mark}") for mark in _PUNCTUATION]


def _between_figures(english: str, french: str) -> Iterator[tuple[str, str]]:
    for before, after in zip(parts(english), parts(typeset(french)), strict=True):
        if after and not before:
            raise ValueError(f"the French of {english!r} has words where English has none: change the phrase")
        plain = after
        for mark in _PUNCTUATION:
            plain = plain.replace(f"{_NARROW}{mark}", mark)
        if before != plain:
            yield before, plain
