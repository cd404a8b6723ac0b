"""The messages on a source's standard output: one message of Airbyte's protocol per line."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

_RECORD = b'{"type":"RECORD","record":{"stream":"'
_LEVELS = {"FATAL": logging.CRITICAL, "ERROR": logging.ERROR, "WARN": logging.WARNING}


class Record(NamedTuple):
    """A record, as its whole line: DuckDB parses thousands at a time."""

    stream: str
    line: bytes


@dataclass(frozen=True)
class State:
    """Where the next read of a stream continues. It covers the preceding records of the stream."""

    stream: str
    state: Mapping[str, Any]


@dataclass(frozen=True)
class Complete:
    """The stream was read to its end."""

    stream: str


@dataclass(frozen=True)
class Catalog:
    """The available streams, as AirbyteStream objects."""

    streams: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Failure:
    """Why the source failed, in its own words; without a stream when it concerns all of them.

    `kind` is config_error, transient_error or system_error.
    """

    stream: str | None
    words: str
    kind: str


@dataclass(frozen=True)
class LogLine:
    """`level`: a level of Python's logging."""

    level: int
    words: str


Message: TypeAlias = Record | State | Complete | Catalog | Failure | LogLine


def read_message(line: bytes) -> Message | None:
    """The message of a line; None for messages that are ignored. A line that is not a message is a log line."""
    if line.startswith(_RECORD):  # nearly all lines
        stream = line[len(_RECORD) : line.find(b'"', len(_RECORD))]
        if b"\\" not in stream:
            return Record(stream.decode(), line)
    try:
        fields = json.loads(line)
        return _read(fields, line)
    except (ValueError, TypeError, KeyError, AttributeError):
        return LogLine(logging.WARNING, line.decode(errors="replace").strip())


def _read(fields: dict[str, Any], line: bytes) -> Message | None:
    match fields["type"]:
        case "RECORD":
            return Record(fields["record"]["stream"], line)
        case "STATE":
            stream = fields["state"]["stream"]
            return State(stream["stream_descriptor"]["name"], stream.get("stream_state") or {})
        case "CATALOG":
            return Catalog(fields["catalog"]["streams"])
        case "LOG":
            return LogLine(_LEVELS.get(fields["log"]["level"], logging.INFO), fields["log"]["message"])
        case "TRACE":
            return _read_trace(fields["trace"])
    return None


def _read_trace(trace: dict[str, Any]) -> Message | None:
    if trace["type"] == "ERROR":
        error = trace["error"]
        stream = (error.get("stream_descriptor") or {}).get("name")
        return Failure(stream, error["message"], error.get("failure_type") or "system_error")
    if trace["type"] == "STREAM_STATUS" and trace["stream_status"]["status"] == "COMPLETE":
        return Complete(trace["stream_status"]["stream_descriptor"]["name"])
    return None
