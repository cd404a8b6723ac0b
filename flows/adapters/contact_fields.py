"""Customers' figures as fields of a service's contacts, called as in the file for its importer, so that what people
build on them there holds for both."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from flows.adapters.files.importer_files import LAYOUTS
from flows.ports.destination import CONTACT_SCHEMA

_DIGITS = {"churn_probability": 4, "expected_spend": 2, "clv": 2, "expected_loss": 2, "win_back_value": 2}
_LEFT_OUT = ("email", "country")  # where a contact is, the service may know better
_OF_CAMPAIGN = ("offer", "variant")


@dataclass(frozen=True)
class Field:
    """`column` of CONTACT_SCHEMA; None: the campaign's name. `of_campaign`: only a campaign writes it."""

    name: str
    column: str | None
    of_campaign: bool

    @property
    def is_number(self) -> bool:
        return self.column in _DIGITS


def fields_of(layout: str, *, names: Mapping[str, str] | None = None, campaign: bool = True) -> tuple[Field, ...]:
    """The fields of a service that has a layout. `names`: by column, where one is called otherwise than in its file.
    `campaign`: its name is one of them."""
    headers = {**LAYOUTS[layout].headers, **(names or {})}
    fields = [Field(header, name, name in _OF_CAMPAIGN) for name, header in headers.items() if name not in _LEFT_OUT]
    return (*fields, *([Field(LAYOUTS[layout].of_campaign, None, True)] if campaign else []))


def field_values(fields: tuple[Field, ...], people: pa.Table, audience: str | None) -> Iterator[dict[str, Any]]:
    """Values by field for each customer; None where nothing is known. Those of a campaign only with one."""
    columns = {
        field.name: [audience] * len(people)
        if field.column is None
        else [_rounded(value, field.column) for value in people.column(field.column).to_pylist()]
        for field in fields
        if audience is not None or not field.of_campaign
    }
    return (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))


def _rounded(value: Any, column: str) -> Any:
    return round(value, _DIGITS[column]) if value is not None and column in _DIGITS else value


assert set(_DIGITS) == {field.name for field in CONTACT_SCHEMA if field.type == pa.float64()}
