"""The examples in docstrings run as they are written."""

from __future__ import annotations

import inspect
import re
import shutil
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from onelook import Tagger, load_settings
from onelook.demo.checkpoint import MODEL
from tests.engines.openai_simulation import SimulatedServer, always, completion
from tests.library.conftest import DRAWING


@pytest.fixture
def named_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that the examples name, in the current folder."""
    for name in ("cat.jpg", "dog.jpg", "bird.jpg"):
        shutil.copy(DRAWING, tmp_path / name)
    shutil.copytree(MODEL, tmp_path / "path/to/checkpoint")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("named_files")
async def test_the_examples_of_the_tagger(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    body = textwrap.indent("\n".join(re.findall(r"^ {4}(.*)$|^$", inspect.getdoc(Tagger) or "", re.M)), "    ")
    names: dict[str, Any] = {"Tagger": Tagger, "load_settings": load_settings, "Path": Path, "Image": Image}
    names["array"] = np.zeros((64, 64, 3), dtype=np.uint8)
    exec(f"async def examples():\n{body}\n    return result", names)  # noqa: S102  our own words
    async with SimulatedServer(always(completion('{"primary_category":"建筑","details":{}}'))) as server:
        monkeypatch.setenv("ONELOOK_BASE_URL", server.base_url)
        await names["examples"]()
        assert server.bodies
    assert len(capsys.readouterr().out.splitlines()) == 4, "one line a picture"
