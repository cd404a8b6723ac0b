"""`airbyte/connections.yml`: the one list of sources, with the meaning of their columns."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from flows.errors import BadInput

OrderLineColumn = Literal[
    "order_id", "order_line_id", "customer_id", "ordered_at", "amount", "sku",
    "quantity", "unit_price", "discount", "country", "currency", "channel",
]  # fmt: skip


TextColumn = Literal["order_id", "customer_id", "sku", "country", "channel"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Pattern(_Strict):
    """A regular expression over the whole value of one of our text columns."""

    column: TextColumn
    matches: str


class SetAside(Pattern):
    reason: str


class OrderLines(_Strict):
    """What the rows of an order-lines stream mean. Fields are described at the top of the file itself."""

    sync_mode: Literal["full_refresh_overwrite"] = "full_refresh_overwrite"
    columns: Mapping[OrderLineColumn, str] = Field(default_factory=dict)
    delimiter: str | None = None
    timestamp_format: str | None = None
    decimal: Literal["point", "comma"] | None = None
    timezone: str | None = None
    currency: str | None = None
    returns: Pattern | None = None
    set_aside: tuple[SetAside, ...] = ()
    duplicates: Literal["set_aside", "keep"] = "set_aside"

    @model_validator(mode="after")
    def _patterns_name_mapped_columns(self) -> Self:
        patterns = [*self.set_aside, *([self.returns] if self.returns else [])]
        unmapped = [p.column for p in patterns if self.columns and p.column not in self.columns]
        if unmapped:
            raise ValueError(f"a pattern looks at {unmapped[0]}, which `columns` does not map")
        return self


class Streams(_Strict):
    order_lines: OrderLines


class Connection(_Strict):
    description: str
    connector: Literal["csv"]
    streams: Streams


class Connections(_Strict):
    connections: dict[str, Connection]
    recognised_headers: Mapping[OrderLineColumn, tuple[str, ...]]

    def connection(self, name: str) -> Connection:
        """The connection of that name.

        Raises:
            BadInput: when there is none, with the names there are.
        """
        if name not in self.connections:
            known = ", ".join(sorted(self.connections))
            raise BadInput(f"SOURCE={name} is not in airbyte/connections.yml. It lists: {known}.")
        return self.connections[name]


def read_connections(path: Path) -> Connections:
    """The validated content of a connections file.

    Raises:
        BadInput: with file, place and problem of everything that does not fit.
    """
    try:
        return Connections.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise BadInput(f"{path} is not valid YAML: {error}") from None
    except ValidationError as error:
        problems = "\n  ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors())
        raise BadInput(f"{path} does not fit:\n  {problems}") from None
