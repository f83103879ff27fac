"""JSON for programs."""

from __future__ import annotations

import json
import sys


def write_json(value: object, indent: int | None = None) -> None:
    """To standard output as UTF-8, whatever the locale, past Rich, so that no width or colour changes it."""
    text = json.dumps(value, ensure_ascii=False, indent=indent) + "\n"
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode(errors="backslashreplace"))
    sys.stdout.flush()
