"""The log: one JSON object per line on standard error, without pictures, bodies, queries and keys."""

from __future__ import annotations

import logging

import orjson


class JsonLines(logging.Formatter):
    """`logger.info("event", extra={"fields": {…}})` as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def log_lines() -> None:
    """Write the records of the `onelook` loggers, unless logging has been configured already."""
    logger = logging.getLogger("onelook")
    if not logger.handlers and not logging.getLogger().handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(JsonLines())
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
