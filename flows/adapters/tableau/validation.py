"""Checks whether Tableau opens a workbook, by the server itself, which stores nothing."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import tableauserverclient as tsc
from tableauserverclient.server.endpoint.exceptions import NonXMLResponseError
from urllib3.fields import RequestField
from urllib3.filepost import encode_multipart_formdata

from flows.adapters.tableau.api import TableauApi
from flows.errors import BadInput, TableauRefused, TableauUnreachable

VALIDATING_VERSION = "3.29"  # Tableau Cloud June 2026, Server 2026.2


@dataclass(frozen=True)
class Finding:
    """`is_error`: Tableau does not open the workbook as it is; otherwise a warning."""

    is_error: bool
    message: str
    place: str

    def __str__(self) -> str:
        return f"{'error' if self.is_error else 'warning'}: {self.message}" + (f" ({self.place})" if self.place else "")


def validate_workbook(api: TableauApi, workbook: Path) -> list[Finding]:
    """The server's findings on a .twb.

    Raises:
        BadInput: when it is not a .twb.
        TableauRefused: when the server is too old to validate, or refuses.
    """
    if workbook.suffix != ".twb" or not workbook.is_file():
        raise BadInput(f"{workbook}: Tableau validates an existing .twb, not a package.")
    doing = f"Validating {workbook.name}"
    version = api.call_api("Signing in to Tableau", lambda server: str(server.version))
    if not api.has_version(VALIDATING_VERSION):
        raise TableauRefused(
            f"{doing}: {api.url} supports version {version} of Tableau's REST API, and validates from"
            f" {VALIDATING_VERSION} on: Tableau Cloud since June 2026, Tableau Server 2026.2."
        )
    body, content_type = _multipart(workbook)

    def call(server: tsc.Server) -> Any:
        url = f"{server.baseurl}/sites/{server.site_id}/workbooks/validateWorkbook"
        headers = {"headers": {"accept": "application/json"}}
        try:
            return server.workbooks.post_request(url, body, content_type, headers).content  # type: ignore[no-untyped-call]
        except NonXMLResponseError as error:  # in JSON, and with an error status
            if api.last_status != requests.codes.unprocessable_entity:
                raise
            return error.args[0]

    try:
        response = api.call_api(doing, call)
    except TableauRefused as refused:
        if refused.status_code != requests.codes.bad_request:
            raise
        raise TableauRefused(
            f"{refused} It loads the data too, and cannot where they are in a file next to the workbook: then validate"
            " the one that is connected to Snowflake, which a run with WAREHOUSE=snowflake writes, with FILE=.",
            refused.status_code,
        ) from None
    return list(_findings(doing, response))


def _findings(doing: str, response: bytes) -> Iterator[Finding]:
    try:
        body = json.loads(response)
        for kind in ("errors", "warnings"):
            for one in body.get(kind) or []:
                yield Finding(kind == "errors", str(one["message"]), _place(one))
    except (ValueError, AttributeError, KeyError, TypeError):
        raise TableauUnreachable(f"{doing}: Tableau's response cannot be read.") from None


def _place(finding: dict[str, Any]) -> str:
    parts = (
        f"line {finding['line']}" if finding.get("line") else "",
        f"column {finding['column']}" if finding.get("column") else "",
        f"<{finding['elementName']}>" if finding.get("elementName") else "",
    )
    return ", ".join(part for part in parts if part)


def _multipart(workbook: Path) -> tuple[bytes, str]:
    part = RequestField("tableau_workbook", workbook.read_bytes(), filename=workbook.name)
    part.make_multipart(content_type="application/octet-stream")
    body, content_type = encode_multipart_formdata([part])
    return body, content_type.replace("multipart/form-data", "multipart/mixed")
