"""`make studio`, in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.processes import free_port, serving

ROOT = Path(__file__).parent.parent.parent
CONFIG = ROOT / "langgraph.json"


def quiet() -> dict[str, str]:
    """The environment that the Makefile gives LangGraph's server, so that it looks nothing up elsewhere."""
    recipe = subprocess.run(
        ["make", "--dry-run", "studio"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    (command,) = [line for line in recipe.splitlines() if "langgraph dev" in line]
    return dict(re.findall(r"([A-Z_]+)=(\w+) ", command))


@contextmanager
def make_studio(folder: Path, **environment: str) -> Iterator[str]:
    """Its address. It keeps its files in `folder`."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [str(Path(sys.executable).parent / "langgraph"), "dev", "--config", str(CONFIG), "--port", str(port)]
    surroundings = {**os.environ, **quiet(), "XDG_CACHE_HOME": str(folder), **environment}
    with serving([*command, "--no-reload", "--no-browser"], f"{url}/ok", folder, surroundings):
        yield url
