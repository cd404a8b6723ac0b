"""`airbyte/connections.yml`: the one list of sources, their streams, and the meaning of their columns."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from flows.errors import BadInput, SettingsError

OrderLineColumn = Literal[
    "order_id", "order_line_id", "customer_id", "ordered_at", "amount", "sku",
    "quantity", "unit_price", "discount", "country", "currency", "channel", "email",
    "order_total", "refunded_amount", "refunded_at",
    "status", "payment_status", "fulfilment_status", "cancelled_at", "line_type",
    "is_cancelled", "is_test", "is_paid",
]  # fmt: skip
ContactColumn = Literal[
    "contact_id", "customer_id", "email", "other_emails", "opted_in", "opted_out", "opted_out_of_marketing",
    "opted_out_at", "legal_basis", "consents_to_advertising", "ad_user_data", "ad_personalization", "created_at",
]  # fmt: skip
EmailEventColumn = Literal["event_id", "email", "happened_at", "kind"]
ProductColumn = Literal["sku", "name", "category", "is_active"]
Column: TypeAlias = OrderLineColumn | ContactColumn | EmailEventColumn | ProductColumn

KindOfFile = Literal["order_lines", "contacts", "products"]
KINDS_OF_FILES: tuple[KindOfFile, ...] = get_args(KindOfFile)
TextColumn = Literal["order_id", "customer_id", "sku", "country", "channel"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Stream(_Strict):
    """How a stream is synced, in Airbyte's words. `cursor` is what grows when a record changes. Of the
    `needed` columns no record may lack all values: a field that was renamed or taken away would look like that."""

    sync_mode: Literal["full_refresh_overwrite", "incremental_deduped_history"] = "full_refresh_overwrite"
    primary_key: tuple[str, ...] = ()
    cursor: str | None = None
    needed: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _can_be_merged(self) -> Self:
        if self.sync_mode == "incremental_deduped_history" and not (self.primary_key and self.cursor):
            raise ValueError("incremental_deduped_history needs a `primary_key` and a `cursor`")
        if self.sync_mode == "full_refresh_overwrite" and self.cursor:
            raise ValueError("full_refresh_overwrite reads everything every time and has no `cursor`")
        return self


class Pattern(_Strict):
    """A regular expression over the whole value of one of our text columns."""

    column: TextColumn
    matches: str


class Rejection(Pattern):
    reason: str


class _Meaning(_Strict):
    """What rows say: those of the stream of the same name, or of a staging model that yields our columns."""

    model: str | None = Field(None, pattern=r"^stg_[a-z0-9_]+$")
    timestamp_format: str | None = None
    timezone: str | None = None

    @model_validator(mode="after")
    def _a_model_names_its_columns(self) -> Self:
        if self.model and not self.columns:  # type: ignore[attr-defined]
            raise ValueError(f"name the `columns` that {self.model} yields, for example [customer_id, email]")
        return self

    @field_validator("columns", mode="before", check_fields=False)
    @classmethod
    def _same_names(cls, given: Any) -> Any:
        """A list for columns that have our names already."""
        return {name: name for name in given} if isinstance(given, list) else given


class Statuses(_Strict):
    """Values of an order's status. `sold`: it counts; `partly_refunded`: it counts, less what was given back;
    `refunded`: all of it was given back; `not_sold`: it is no sale."""

    sold: tuple[str, ...] = ()
    partly_refunded: tuple[str, ...] = ()
    refunded: tuple[str, ...] = ()
    not_sold: tuple[str, ...] = ()


class LineTypes(_Strict):
    """Values that say what a line is. `sales`; `payments`, which are sales where no line is one otherwise, and else pay
    for sales that other lines count; `returns`, whose amount is given back; and `other`: neither."""

    sales: tuple[str, ...] = ()
    payments: tuple[str, ...] = ()
    returns: tuple[str, ...] = ()
    other: tuple[str, ...] = ()


class Flags(_Strict):
    """Values of a column that says whether something is so."""

    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


class OrderLines(_Meaning):
    """Sales and returns. Fields are described at the top of the file itself."""

    columns: Mapping[OrderLineColumn, str] = Field(default_factory=dict)
    delimiter: str | None = None
    sheet: str | None = None
    decimal: Literal["point", "comma"] | Mapping[OrderLineColumn, Literal["point", "comma"]] | None = None
    currency: str | None = None
    status: Statuses = Statuses()
    line_type: LineTypes = LineTypes()
    returns: Pattern | None = None
    reject: tuple[Rejection, ...] = ()
    duplicates: Literal["reject", "keep"] = "reject"
    placeholder_ids: tuple[str, ...] = ()
    real_ids: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _old_names(cls, given: Any) -> Any:
        if isinstance(given, dict) and ("set_aside" in given or given.get("duplicates") == "set_aside"):
            raise ValueError("`set_aside` is called `reject` now: write `reject:` and `duplicates: reject`")
        return given

    @field_validator("placeholder_ids", "real_ids", mode="before")
    @classmethod
    def _as_text(cls, given: Any) -> Any:
        """YAML reads 99999 as a number."""
        return tuple(map(str, given)) if isinstance(given, list) else given

    @model_validator(mode="after")
    def _patterns_name_mapped_columns(self) -> Self:
        patterns = [*self.reject, *([self.returns] if self.returns else [])]
        unmapped = [p.column for p in patterns if self.columns and p.column not in self.columns]
        if unmapped:
            raise ValueError(f"a pattern looks at {unmapped[0]}, which `columns` does not map")
        return self


class Contacts(_Meaning):
    """Who the customers are, and what they have consented to. advertising_consent: what the shop states of those who
    have not answered for themselves, nor opted out."""

    columns: Mapping[ContactColumn, str] = Field(default_factory=dict)
    delimiter: str | None = None
    sheet: str | None = None
    advertising_consent: Literal["given"] | None = None


class Products(_Meaning):
    """What the shop sells: names, categories, and whether it is still in the catalogue."""

    columns: Mapping[ProductColumn, str] = Field(default_factory=dict)
    delimiter: str | None = None
    sheet: str | None = None


class EmailEvents(_Meaning):
    """What was sent to them, and what they did with it."""

    columns: Mapping[EmailEventColumn, str] = Field(default_factory=dict)


class Connection(_Strict):
    """One source. A `declarative` one is run by the Airbyte CDK from its `manifest`, a file next to connections.yml;
    one of the `catalogue` by an Airbyte server alone, which has its connector under `definition_id`."""

    description: str
    connector: Literal["csv", "declarative", "catalogue"]
    manifest: str | None = None
    definition_id: str | None = Field(None, pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    config: Mapping[str, Any] = Field(default_factory=dict)
    streams: Mapping[str, Stream] = Field(min_length=1)
    order_lines: OrderLines | None = None
    contacts: Contacts | None = None
    products: Products | None = None
    email_events: EmailEvents | None = None
    personal_records: str | None = Field(None, pattern=r"^stg_[a-z0-9_]+$")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.connector == "declarative") != (self.manifest is not None):
            raise ValueError("a `manifest` belongs to connector: declarative, and to no other")
        if (self.connector == "catalogue") != (self.definition_id is not None):
            raise ValueError("a `definition_id` belongs to connector: catalogue, and to no other")
        if len(self.streams) > 1 and self.connector != "csv" and not self.personal_records:
            raise ValueError("name the staging model of which record is whose as `personal_records`, for `make erase`")
        if self.connector == "csv" and (unread := set(self.streams) - set(KINDS_OF_FILES)):
            raise ValueError(f"a file holds order_lines, contacts or products, not {', '.join(sorted(unread))}")
        for name in (*KINDS_OF_FILES, "email_events"):
            meaning: _Meaning | None = getattr(self, name)
            if meaning is not None and meaning.model is None and name not in self.streams:
                raise ValueError(f"`{name}` has no stream of that name; name the staging `model` that yields its rows")
            if meaning is not None and meaning.model is None and self.connector != "csv":
                raise ValueError(f"`{name}` needs the staging `model` that yields our columns from the source's")
        return self

    def filled_config(self, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
        """The connector's configuration, with ${NAME} and ${NAME:-default} replaced by the environment's values.

        Raises:
            SettingsError: naming the variables that are not set.
        """
        missing: list[str] = []

        def value_of(match: re.Match[str]) -> str:
            name, default = match["name"], match["default"]
            if not environment.get(name) and default is None:
                missing.append(name)
            return environment.get(name) or default or ""

        def fill(value: Any) -> Any:
            if isinstance(value, Mapping):
                return {key: fill(inner) for key, inner in value.items()}
            if isinstance(value, list | tuple):
                return [fill(inner) for inner in value]
            return _PLACEHOLDER.sub(value_of, value) if isinstance(value, str) else value

        filled: dict[str, Any] = fill(self.config)
        if missing:
            raise SettingsError(f"This source needs {', '.join(missing)}: {self.description}")
        return filled


_PLACEHOLDER = re.compile(r"\$\{(?P<name>[A-Z][A-Z0-9_]*)(?::-(?P<default>[^}]*))?\}")


class RecognisedHeaders(_Strict):
    """Headers of the same column in other shops' exports. traits: of columns that only campaigns read."""

    order_lines: Mapping[OrderLineColumn, tuple[str, ...]]
    contacts: Mapping[ContactColumn, tuple[str, ...]]
    products: Mapping[ProductColumn, tuple[str, ...]]
    traits: Mapping[Literal["category", "language"], tuple[str, ...]]


class RecognisedValues(_Strict):
    """Words for the same thing in other shops' exports, compared without case, accents, spaces and punctuation."""

    status: Statuses
    line_type: LineTypes
    flag: Flags


class Platform(_Strict):
    """A shop system whose exports are known by their headers. What its files mean is said as for a connection; a file
    need not have every column. `or_else`: headers, in this order, for a column that a file does not have or leaves
    nearly empty."""

    name: str
    recognised_by: tuple[str, ...] = Field(min_length=2)
    or_else: Mapping[OrderLineColumn, tuple[str, ...]] = Field(default_factory=dict)
    order_lines: OrderLines | None = None
    contacts: Contacts | None = None

    @model_validator(mode="after")
    def _names_columns(self) -> Self:
        meanings = [meaning for meaning in (self.order_lines, self.contacts) if meaning is not None]
        if len(meanings) != 1 or not meanings[0].columns:
            raise ValueError("give either `order_lines` or `contacts`, with the `columns` of that export")
        unmapped = [name for name in self.or_else if name not in meanings[0].columns]
        if unmapped:
            raise ValueError(f"`or_else` names {unmapped[0]}, which `columns` does not map")
        return self


class Connections(_Strict):
    connections: dict[str, Connection]
    recognised_headers: RecognisedHeaders
    recognised_values: RecognisedValues
    platforms: tuple[Platform, ...] = ()

    @model_validator(mode="after")
    def _names_are_schemas(self) -> Self:
        for name in self.connections:
            if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
                raise ValueError(f"{name} names the schema raw_{name}: use letters, digits and underscores only")
        return self

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
        raise BadInput(f"{path} does not fit:\n  " + "\n  ".join(_problems(error))) from None


def _problems(error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        place = ".".join(map(str, problem["loc"]))
        yield f"{place}: {problem['msg'].removeprefix('Value error, ')}".removeprefix(": ")
