"""The connections of an Airbyte server, and whether one of them can be used."""

import re
from collections.abc import Sequence

from flows.adapters.airbyte.api import AirbyteApi
from flows.adapters.airbyte.responses import NOT_IN_USE, AirbyteConnection, AirbyteConnections
from flows.errors import AirbyteRefused, BadInput

PATIENCE_SECONDS = 300.0  # the time limit for a server that does not respond, while no sync depends on it
PAGE = 100  # entries per page; a server that returns fewer gets more requests
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def find_connection(api: AirbyteApi, wanted: str) -> AirbyteConnection:
    """The connection with that id or name.

    Raises:
        BadInput: when there is none or more than one; lists the existing ones.
        AirbyteRefused, AirbyteUnreachable: when Airbyte does not respond with it.
    """
    if UUID.fullmatch(wanted):
        try:
            return connection_by_id(api, wanted)
        except AirbyteRefused as refused:
            if refused.status_code != 404:
                raise
    listed = _list_connections(api)
    found = [connection for connection in listed if connection.name == wanted]
    if len(found) == 1:
        return found[0]
    there = "\n  ".join(map(str, found or listed)) or "none at all: may the application see the workspace?"
    many = f"Airbyte has {len(found)} connections named {wanted}: write the id of one of them instead."
    none = f"Airbyte has no connection {wanted}: write a name or id that it has, in AIRBYTE_CONNECTIONS."
    raise BadInput(f"{many if found else none} There are:\n  {there}")


def connection_by_id(api: AirbyteApi, connection_id: str) -> AirbyteConnection:
    """The connection as it is now.

    Raises:
        AirbyteRefused, AirbyteUnreachable: when Airbyte does not respond with it.
    """
    return api.call_api(
        f"Looking up the connection {connection_id}",
        api.retry.deadline(PATIENCE_SECONDS),
        lambda sdk: sdk.connections.get_connection(request={"connection_id": connection_id}),
        AirbyteConnection,
    )


def _list_connections(api: AirbyteApi) -> list[AirbyteConnection]:
    found: dict[str, AirbyteConnection] = {}
    while page := _page(api, offset=len(found)):
        new = {connection.connection_id: connection for connection in page}
        if new.keys() <= found.keys():
            break  # a server without pagination returns the same page for ever
        found |= new
    return list(found.values())


def _page(api: AirbyteApi, offset: int) -> tuple[AirbyteConnection, ...]:
    return api.call_api(
        "Listing Airbyte's connections",
        api.retry.deadline(PATIENCE_SECONDS),
        lambda sdk: sdk.connections.list_connections(request={"limit": PAGE, "offset": offset}),
        AirbyteConnections,
    ).data


def check_in_use(connection: AirbyteConnection) -> None:
    """
    Raises:
        BadInput: when Airbyte would not sync it.
    """
    if connection.status in NOT_IN_USE:
        why = f" ({connection.status_reason})" if connection.status_reason else ""
        raise BadInput(
            f"The connection {connection} is {connection.status} in Airbyte{why}: enable it there, or take it out of"
            " AIRBYTE_CONNECTIONS."
        )


def missing_streams(connection: AirbyteConnection, streams: Sequence[str]) -> str:
    """A sentence on the streams that a connection does not have; empty if it has them all."""
    gone = [stream for stream in streams if stream not in connection.streams]
    if not gone:
        return ""
    there = ", ".join(sorted(connection.streams)) or "nothing"
    return (
        f"The connection {connection} has no stream {' and no stream '.join(gone)}. It syncs: {there}."
        " Switch it on again in Airbyte, on the connection's page"
        " under Schema; where it is not listed there, refresh the source's schema first."
    )
