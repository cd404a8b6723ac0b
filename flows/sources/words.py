"""Values that say the same thing in several languages and spellings."""

import re
import unicodedata
from collections.abc import Iterable

from pydantic import BaseModel


def plain(text: str) -> str:
    """Text as it is compared: without case, accents, spaces and punctuation."""
    return spaced(text).replace(" ", "")


def spaced(text: str) -> str:
    """The words of a header, plain, with a space between them: `orderStatusID`, `order_status_id` → order status id."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    letters = unicodedata.normalize("NFKD", words.casefold())
    return re.sub(r"[\W_]+", " ", "".join(letter for letter in letters if not unicodedata.combining(letter))).strip()


def sort_values(values: Iterable[str], declared: BaseModel, recognised: BaseModel) -> dict[str, str | None]:
    """Each value → the field of `declared` that lists it, else of `recognised`, else None.

    Both list, by field, values as they are written; what is declared is compared as it is recognised.
    """
    known = _by_plain_value(recognised) | _by_plain_value(declared)
    return {value: known.get(plain(value)) for value in values}


def _by_plain_value(lists: BaseModel) -> dict[str, str]:
    return {plain(value): meaning for meaning in type(lists).model_fields for value in getattr(lists, meaning)}
