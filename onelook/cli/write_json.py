"""JSON for programs."""

from __future__ import annotations

import json
import sys


def write_json(value: object, indent: int | None = None) -> None:
    """To standard output, past Rich, so that no width or colour changes it."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=indent) + "\n")
    sys.stdout.flush()
