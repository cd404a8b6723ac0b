"""Logs as lines of JSON, with nothing personal in them."""

import json
import logging
import sys
import traceback
from typing import TextIO

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """A record as one line of JSON: level, message, the fields of `extra`, and the traceback of an exception.

    An exception's message is left out: it may quote what a caller sent.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        line |= {"level": record.levelname, "logger": record.name, "message": record.getMessage()}
        if record.exc_info and record.exc_info[0]:
            frames = traceback.extract_tb(record.exc_info[2])
            line["exception"] = record.exc_info[0].__name__
            line["where"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(line, default=str)


def log_as_json(level: str, stream: TextIO | None = None) -> None:
    """Everything that `functions` logs goes to standard output, a line of JSON each."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("functions")
    logger.handlers = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False
