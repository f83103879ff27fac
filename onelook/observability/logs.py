"""The log of a server process on standard error: one format for our records, the web server's and Python's warnings.

Pictures, bodies, queries and keys are never in it.
"""

from __future__ import annotations

import logging
from typing import Literal

import orjson

LogFormat = Literal["text", "json"]

WEB_SERVER = "uvicorn"
OWN_FIELDS = "fields"
"""`log.info("event", extra={"fields": {…}})` adds members to the line."""


class JsonLines(logging.Formatter):
    """One JSON object a record; a stack trace is its member `trace`."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": _logger(record),
            "event": record.getMessage(),
            **getattr(record, OWN_FIELDS, {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode(errors="replace")


class TextLines(logging.Formatter):
    """`time level logger: event name=value …`; only the lines of a stack trace, which are indented, follow."""

    def format(self, record: logging.LogRecord) -> str:
        time = self.formatTime(record, "%Y-%m-%d %H:%M:%S")
        fields = "".join(f" {name}={_word(value)}" for name, value in getattr(record, OWN_FIELDS, {}).items())
        event = " ".join(record.getMessage().split())
        line = f"{time} {record.levelname.lower():<7} {_logger(record)}: {_printable(event)}{fields}"
        if record.exc_info:
            line += "".join(f"\n    {_printable(each)}" for each in self.formatException(record.exc_info).splitlines())
        return line


def _logger(record: logging.LogRecord) -> str:
    """Uvicorn calls the logger of all its messages `uvicorn.error`."""
    return WEB_SERVER if record.name == f"{WEB_SERVER}.error" else record.name


def _word(value: object) -> str:
    text = str(value)
    plain = text.isprintable() and not set(text) & set(' "=') and text != ""
    return text if plain else orjson.dumps(_printable(text)).decode()


def _printable(text: str) -> str:
    """A path or a message of a client must not write lines of its own, nor move the terminal's cursor."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


class StandardError(logging.StreamHandler):  # type: ignore[type-arg]  # generic for type checkers only
    """The handler that `write_logs` installs."""


def write_logs(log_format: LogFormat) -> None:
    """Write all records from now on in this format, unless the application around us has configured logging.

    The web server's access log goes: `onelook.api.request_log` writes a line for each request, which says more.
    """
    root, server = logging.getLogger(), logging.getLogger(WEB_SERVER)
    foreign = [each for each in root.handlers if not isinstance(each, StandardError)]
    foreign += [each for each in server.handlers if not type(each.formatter).__module__.startswith(WEB_SERVER)]
    if foreign:
        return
    handler = StandardError()
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    root.handlers = [handler]
    for name in ("onelook", WEB_SERVER):
        logging.getLogger(name).setLevel(logging.INFO)
    server.handlers.clear()
    server.propagate = True
    access = logging.getLogger(f"{WEB_SERVER}.access")
    access.handlers.clear()
    access.propagate = False  # without handlers, uvicorn skips these records
    logging.captureWarnings(True)
