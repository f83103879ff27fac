"""Ray's own lines: in its log files, and on the terminal only what is an error."""

from __future__ import annotations

import logging
import sys
import warnings
from typing import Any


def quiet(ray: Any) -> None:
    """Before Ray starts. Its log of the datasets goes on in its files; progress bars are for a terminal."""
    warnings.filterwarnings("ignore", category=FutureWarning, module="ray")  # for who writes programs with Ray
    for handler in logging.getLogger("ray.data").handlers:
        if isinstance(handler, logging.StreamHandler):  # the other one writes the file
            handler.setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = sys.stderr.isatty()
