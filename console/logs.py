"""Structured logs without secrets: only short plain values pass, one JSON line per entry."""

import io
import logging
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, TextIO, cast

import structlog

MAX_VALUE = 200


def log_to(path: Path) -> TextIO:
    """Send this process's log to a file, JSON lines, appended; return the open file."""
    file = path.open("a", encoding="utf-8")  # open for the process's life
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _plain_values_only,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(file),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    return file


def log_warnings() -> None:
    """Print warnings of a short-lived command on standard error, without any frame's locals."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _plain_values_only,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _StandardError())),
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        cache_logger_on_first_use=False,
    )


class _StandardError(io.TextIOBase):
    """Standard error as it is when something is written: it may have been replaced meanwhile."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def _plain_values_only(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Drop all values but short text and numbers; bytes and objects could hold a secret.

    `exc_info` is reduced to the exception's type: its message may quote its input.
    """
    clean: dict[str, Any] = {}
    for key, value in event.items():
        if key == "exc_info":
            continue
        if isinstance(value, bool | int | float) or value is None:
            clean[key] = value
        elif isinstance(value, str):
            clean[key] = value.replace("\n", " ")[:MAX_VALUE]
        else:
            clean[key] = f"<{type(value).__name__}>"
    return clean
