"""Which connections a run reads, and what of each: what the user named, held against airbyte/connections.yml."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from flows.errors import BadInput
from flows.settings import ANY_CONTACTS_CSV, ANY_PRODUCTS_CSV, SIMULATED_SHOP, Settings
from flows.sources.connections import (
    Connection,
    Connections,
    Contacts,
    EmailEvents,
    KindOfFile,
    OrderLines,
    Products,
)
from flows.sources.mappings import Kind, Landing, of_model


@dataclass(frozen=True)
class Sources:
    """Names of connections. `files`: of each kind that is read from files, the connection and their path or glob;
    without that, where the warehouse is elsewhere, from what Airbyte brought there. `synced`: those that Airbyte
    brings."""

    orders: tuple[str, ...]
    contacts: tuple[str, ...]
    products: tuple[str, ...]
    email_events: tuple[str, ...]
    files: Mapping[KindOfFile, tuple[str, str | None]]
    synced: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Every connection, each once."""
        return tuple(dict.fromkeys((*self.orders, *self.contacts, *self.products)))


def sources_of(settings: Settings, connections: Connections) -> Sources:
    """What a run with these settings reads.

    Raises:
        BadInput: when a name is unknown, does not have what is needed of it, or lacks its file.
    """
    orders = tuple(dict.fromkeys(settings.sources))
    found = {name: connections.connection(name) for name in orders}
    for name, connection in found.items():
        if connection.order_lines is None:
            raise BadInput(
                f"SOURCE={name} brings no order lines. Name one that does; contacts go with CONTACTS=,"
                " products with PRODUCTS=."
            )
    contacts, contact_files = _beside_orders("contacts", settings, connections, found)
    products, product_files = _beside_orders("products", settings, connections, found)
    of_kinds: dict[KindOfFile, tuple[str, str | None] | None] = {
        "order_lines": _order_files(settings, found), "contacts": contact_files, "products": product_files,
    }  # fmt: skip
    files = {kind: of_kind for kind, of_kind in of_kinds.items() if of_kind}
    known = found | {name: connections.connection(name) for name in (*contacts, *products)}
    return Sources(
        orders=orders,
        contacts=contacts,
        products=products,
        email_events=tuple(name for name, connection in known.items() if connection.email_events),
        files=files,
        synced=_synced(known, files.values()),
    )


def from_models(sources: Sources, connections: Connections) -> list[Landing]:
    """What the staging models of this run's sources will yield."""
    landings = []
    for name in sources.all:
        connection = connections.connection(name)
        brought: tuple[tuple[Kind, OrderLines | Contacts | Products | EmailEvents | None, tuple[str, ...]], ...] = (
            ("order_lines", connection.order_lines, sources.orders),
            ("contacts", connection.contacts, sources.contacts),
            ("products", connection.products, sources.products),
            ("email_events", connection.email_events, sources.email_events),
        )
        for kind, meaning, wanted in brought:
            if meaning is not None and meaning.model and name in wanted:
                landings.append(of_model(kind, name, meaning))
    return landings


def _order_files(settings: Settings, found: dict[str, Connection]) -> tuple[str, str | None] | None:
    from_files = [name for name, connection in found.items() if connection.connector == "csv"]
    if len(from_files) > 1:
        raise BadInput(
            f"SOURCE={settings.source}: {' and '.join(from_files)} are both files, and ORDERS= names those of one."
            " Put both exports under one header, or run them as two shops, each with a DATA_DIR of its own."
        )
    if settings.orders and not from_files:
        raise BadInput(
            f"ORDERS={settings.orders} is a file, and SOURCE={settings.source} reads none. For both say"
            f" SOURCE=orders_csv,{settings.source}; for contacts only, CONTACTS={settings.source}."
        )
    if not from_files:
        return None
    name = from_files[0]
    if settings.is_on_this_machine and not settings.orders and name != SIMULATED_SHOP:
        raise BadInput(f"SOURCE={name} needs ORDERS= too: the CSV file to read.")
    return name, settings.orders


def _synced(known: dict[str, Connection], files: Iterable[tuple[str, str | None]]) -> tuple[str, ...]:
    """All but those that are read from a file here, or simulated."""
    from_here = {SIMULATED_SHOP, *(name for name, path in files if path)}
    return tuple(name for name in known if name not in from_here)


def _beside_orders(
    kind: Literal["contacts", "products"], settings: Settings, connections: Connections, found: dict[str, Connection]
) -> tuple[tuple[str, ...], tuple[str, str | None] | None]:
    """The connections that bring contacts or products, and the one of them that is a file."""
    having = {name: connection for name, connection in found.items() if getattr(connection, kind)}
    bring = [name for name, connection in having.items() if connection.connector != "csv"]
    files = [name for name, connection in having.items() if connection.connector == "csv"]
    wanted: str | None = getattr(settings, kind)
    option = f"{kind.upper()}={wanted}"
    if wanted and wanted in connections.connections:
        if getattr(connections.connection(wanted), kind) is None:
            raise BadInput(f"{option} brings no {kind}, says airbyte/connections.yml.")
        if connections.connection(wanted).connector == "csv" and settings.is_on_this_machine:
            raise BadInput(f"{option} is read from a file: say {kind.upper()}=<the file>.")
        if connections.connection(wanted).connector == "csv":
            return (*bring, wanted), (wanted, None)
        return tuple(dict.fromkeys((*bring, wanted))), None
    if wanted:
        name = files[0] if files else ANY_CONTACTS_CSV if kind == "contacts" else ANY_PRODUCTS_CSV
        return (*bring, name), (name, wanted)
    if files and (SIMULATED_SHOP in files or not settings.is_on_this_machine):
        return (*bring, files[0]), (files[0], None)
    return tuple(bring), None
