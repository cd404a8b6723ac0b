"""The words of the page, for what says the same elsewhere."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_TEXTS = Path(__file__).parent / "texts.yml"


def in_french(names: Iterable[str]) -> dict[str, str]:
    """The names by what they are called in French; those without a translation are left out."""
    french = _phrases()
    return {french[name]: name for name in names if name in french}


def label(name: str, language: str) -> str:
    """A word of the page. `language`: en or fr."""
    return str(_texts()["labels"][name][language])


def _phrases() -> dict[str, str]:
    return dict(_texts()["phrases"])


@cache
def _texts() -> dict[str, Any]:
    texts: dict[str, Any] = yaml.safe_load(_TEXTS.read_text(encoding="utf-8"))
    return texts
