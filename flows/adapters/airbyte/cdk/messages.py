"""What a source says on its standard output: one message of Airbyte's protocol a line."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

_RECORD = b'{"type":"RECORD","record":{"stream":"'
_LEVELS = {"FATAL": logging.CRITICAL, "ERROR": logging.ERROR, "WARN": logging.WARNING}


class Record(NamedTuple):
    """A record, as the whole line that it came in: DuckDB takes it apart, thousands at a time."""

    stream: str
    line: bytes


@dataclass(frozen=True)
class State:
    """Where a stream goes on next time. It covers the records of the stream that came before it."""

    stream: str
    state: Mapping[str, Any]


@dataclass(frozen=True)
class Complete:
    """The stream was read to its end."""

    stream: str


@dataclass(frozen=True)
class Catalog:
    """The streams there are, as AirbyteStream objects."""

    streams: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Failure:
    """Why the source gives up, in its own words; of no stream when it concerns them all.

    `kind` is config_error, transient_error or system_error.
    """

    stream: str | None
    words: str
    kind: str


@dataclass(frozen=True)
class LogLine:
    """`level` is that of Python's logging."""

    level: int
    words: str


Message: TypeAlias = Record | State | Complete | Catalog | Failure | LogLine


def read_message(line: bytes) -> Message | None:
    """The message of a line; None for what concerns nobody here. A line that is none is a log line."""
    if line.startswith(_RECORD):  # all but a few lines
        stream = line[len(_RECORD) : line.find(b'"', len(_RECORD))]
        if b"\\" not in stream:
            return Record(stream.decode(), line)
    try:
        said = json.loads(line)
        return _read(said, line)
    except (ValueError, TypeError, KeyError, AttributeError):
        return LogLine(logging.WARNING, line.decode(errors="replace").strip())


def _read(said: dict[str, Any], line: bytes) -> Message | None:
    match said["type"]:
        case "RECORD":
            return Record(said["record"]["stream"], line)
        case "STATE":
            stream = said["state"]["stream"]
            return State(stream["stream_descriptor"]["name"], stream.get("stream_state") or {})
        case "CATALOG":
            return Catalog(said["catalog"]["streams"])
        case "LOG":
            return LogLine(_LEVELS.get(said["log"]["level"], logging.INFO), said["log"]["message"])
        case "TRACE":
            return _read_trace(said["trace"])
    return None


def _read_trace(trace: dict[str, Any]) -> Message | None:
    if trace["type"] == "ERROR":
        error = trace["error"]
        stream = (error.get("stream_descriptor") or {}).get("name")
        return Failure(stream, error["message"], error.get("failure_type") or "system_error")
    if trace["type"] == "STREAM_STATUS" and trace["stream_status"]["status"] == "COMPLETE":
        return Complete(trace["stream_status"]["stream_descriptor"]["name"])
    return None
