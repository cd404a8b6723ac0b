"""A shop behind HTTP that Airbyte's CDK reads: its manifest, and what the server says."""

import json
import math
from collections.abc import Callable, Sequence
from email.message import Message
from pathlib import Path
from typing import Any

TOKEN = "hush-hush-token"

_MANIFEST = """
version: 6.51.0
type: DeclarativeSource
check: {type: CheckStream, stream_names: [things]}
definitions:
  whole:
    type: DeclarativeStream
    primary_key: [id]
    retriever:
      type: SimpleRetriever
      requester:
        type: HttpRequester
        url_base: "{{ config['base_url'] }}"
        path: /rows
        http_method: GET
        authenticator: {type: BearerAuthenticator, api_token: "{{ config['credentials']['access_token'] }}"}
        error_handler: {type: DefaultErrorHandler, max_retries: 0}
      record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: [rows]}}
      paginator:
        type: DefaultPaginator
        page_token_option: {type: RequestOption, inject_into: header, field_name: x-page}
        pagination_strategy:
          type: CursorPagination
          cursor_value: "{{ response['next'] }}"
          stop_condition: "{{ not response['next'] }}"
    schema_loader:
      type: InlineSchemaLoader
      schema:
        type: object
        additionalProperties: true
        properties:
          id: {type: [string, "null"]}
          changed: {type: [string, "null"], format: date-time}
          name: {type: [string, "null"]}
          amount: {type: [number, "null"]}
          archived: {type: [boolean, "null"]}
          properties: {type: [object, "null"], additionalProperties: true}
  merged:
    $ref: "#/definitions/whole"
    incremental_sync:
      type: DatetimeBasedCursor
      cursor_field: changed
      is_client_side_incremental: true
      datetime_format: "%Y-%m-%dT%H:%M:%SZ"
      start_datetime: {type: MinMaxDatetime, datetime: "2006-06-01T00:00:00Z", datetime_format: "%Y-%m-%dT%H:%M:%SZ"}
streams:
  - {$ref: "#/definitions/merged", name: things}
  - {$ref: "#/definitions/whole", name: wholes}
spec:
  type: Spec
  connection_specification:
    $schema: http://json-schema.org/draft-07/schema#
    type: object
    required: [base_url, credentials]
    properties:
      base_url: {type: string}
      credentials:
        {type: object, required: [access_token], properties: {access_token: {type: string, airbyte_secret: true}}}
"""


def write_manifest(folder: Path) -> Path:
    file = folder / "shop.yaml"
    file.write_text(_MANIFEST)
    return file


def config(url: str, token: str = TOKEN) -> dict[str, Any]:
    return {"base_url": url, "credentials": {"access_token": token}}


def row(number: int, changed: str, **more: Any) -> dict[str, Any]:
    return {
        "id": str(number), "changed": changed, "name": f"Customer number {number}", "amount": number / 7,
        "archived": False, "properties": {"email": f"c{number}@example.com", "stage": "customer"}, **more,
    }  # fmt: skip


def pages(rows: Sequence[dict[str, Any]], size: int = 100) -> list[bytes]:
    count = max(1, math.ceil(len(rows) / size))
    return [
        json.dumps({"rows": rows[at * size : (at + 1) * size], "next": at + 1 if at + 1 < count else None}).encode()
        for at in range(count)
    ]


def answers(
    all_pages: Sequence[bytes], broken_page: int | None = None
) -> Callable[[Message, bytes], tuple[int, bytes]]:
    """For `answering`: pages for who has the token, and a 500 in place of one of them."""

    def answer(headers: Message, _: bytes) -> tuple[int, bytes]:
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, json.dumps({"message": f"no such token: {headers.get('authorization')}"}).encode()
        at = int(headers.get("x-page", "0"))
        return (500, b'{"message": "out of order"}') if at == broken_page else (200, all_pages[at])

    return answer
