"""Ray's own lines: in its log files, and on the terminal only what is an error of the run."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def quiet(ray: Any) -> None:
    """Before Ray starts. Its log of the datasets goes on in its files; progress bars are for a terminal."""
    for each in (FutureWarning, UserWarning):  # for who writes programs with Ray
        warnings.filterwarnings("ignore", category=each, module="ray")
    for handler in logging.getLogger("ray.data").handlers:
        if isinstance(handler, logging.StreamHandler):  # the other one writes the file
            handler.setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = sys.stderr.isatty()


@contextmanager
def native_lines_away() -> Iterator[None]:
    """Ray's C++ part writes errors into its log file and, past Python, to the file descriptor of standard error: that
    one leads nowhere meanwhile. Python's own lines take another to the terminal."""
    try:
        terminal = os.fdopen(os.dup(2), "w", encoding=sys.stderr.encoding, errors=sys.stderr.errors, buffering=1)
    except OSError:  # there is no standard error
        yield
        return
    python, sys.stderr = sys.stderr, terminal
    handlers = [
        each
        for name in ("ray", "ray.data")
        for each in logging.getLogger(name).handlers
        if isinstance(each, logging.StreamHandler) and each.stream is python
    ]
    for each in handlers:
        each.setStream(terminal)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        python.flush()
        os.dup2(nowhere, 2)
        yield
    finally:
        terminal.flush()
        os.dup2(terminal.fileno(), 2)
        sys.stderr = python
        for each in handlers:
            each.setStream(python)
        os.close(nowhere)
        terminal.close()
