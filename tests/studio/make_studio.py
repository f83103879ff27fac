"""How `make studio` starts LangGraph's development server."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
CONFIG = ROOT / "langgraph.json"


def quiet() -> dict[str, str]:
    """The environment that the Makefile gives it, so that it looks nothing up elsewhere."""
    recipe = subprocess.run(
        ["make", "--dry-run", "studio"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    (command,) = [line for line in recipe.splitlines() if "langgraph dev" in line]
    return dict(re.findall(r"([A-Z_]+)=(\w+) ", command))
