"""The metadata that every benchmark writes with its figures: machine, versions and command."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("langgraph", "langchain-openai", "openai", "aiohttp", "pillow", "torch", "transformers", "xgrammar")


def write_report(path: Path, figures: Mapping[str, float | int | str | None]) -> None:
    """Write `figures` with `machine`, `versions` and `command` as one flat JSON object."""
    versions = []
    for package in PACKAGES:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    report = {
        "command": " ".join(["python -m", f"benchmarks.{Path(sys.argv[0]).stem}", *sys.argv[1:]]),
        "machine": f"{os.cpu_count()} {platform.machine()} cores, Python {platform.python_version()}",
        "versions": ", ".join(versions),
        **figures,
    }
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
