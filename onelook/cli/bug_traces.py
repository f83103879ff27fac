"""Where the terminal keeps the stack traces of bugs: in a file, not between the results."""

from __future__ import annotations

import logging
from pathlib import Path

from onelook.settings.cache_folder import cache_folder


def keep_bug_traces() -> Path:
    """Have the stack traces of bugs written to the file whose path is returned. It is made with the first one.

    Where the folder cannot be made, they go where other log lines go.
    """
    file = cache_folder() / "bugs.log"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        return file
    handler = logging.FileHandler(file, delay=True, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log = logging.getLogger("onelook.bug")
    log.addHandler(handler)
    log.propagate = False
    return file
