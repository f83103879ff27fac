"""`onelook studio`, in a process of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.processes import free_port, serving


@contextmanager
def make_studio(folder: Path, **environment: str) -> Iterator[str]:
    """Its address. It keeps its files in `folder`."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [str(Path(sys.executable).parent / "onelook"), "studio", "--port", str(port)]
    surroundings = {**os.environ, "XDG_CACHE_HOME": str(folder), **environment}
    with serving(command, f"{url}/ok", folder, surroundings):
        yield url
