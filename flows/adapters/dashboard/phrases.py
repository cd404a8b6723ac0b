"""The names that the page shows in French."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import yaml

_TEXTS = Path(__file__).parent / "texts.yml"


def in_french(names: Iterable[str]) -> dict[str, str]:
    """The names by what they are called in French; those without a translation are left out."""
    french = _phrases()
    return {french[name]: name for name in names if name in french}


@cache
def _phrases() -> dict[str, str]:
    return dict(yaml.safe_load(_TEXTS.read_text(encoding="utf-8"))["phrases"])
