"""JSON for programs."""

from __future__ import annotations

import json
import sys


def write_json(value: object, indent: int | None = None) -> None:
    """To standard output as UTF-8, whatever the locale, past Rich, so that no width or colour changes it."""
    write_text(json.dumps(value, ensure_ascii=False, indent=indent) + "\n")


def write_text(text: str) -> None:
    """As `write_json`, for text that a width or a colour must not change."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode(errors="backslashreplace"))
    sys.stdout.flush()
