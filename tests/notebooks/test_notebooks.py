"""The notebooks run from their first cell to their last, and what is kept of them is fit to be read."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.patience import HANG_S

FOLDER = Path(__file__).parent.parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MOST_KB = 300
FEW = "24"
"""Pictures of each measurement, where the pages that are kept take more."""
OWN_PLACE = re.compile(r"(/home|/Users|/root|/tmp|/var|/work|C:)[/\\]")


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def shown(notebook: Any) -> list[list[str]]:
    """The media types of each output; of a stream, its name."""
    return [sorted(output.get("data", [output.get("name")])) for output in outputs(notebook)]


@pytest.fixture(params=NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def kept(request: pytest.FixtureRequest) -> Any:
    return nbformat.read(request.param, as_version=4)  # type: ignore[no-untyped-call]


def test_every_cell_runs_and_shows_what_is_kept(kept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ONELOOK_ENGINE", "ONELOOK_MODEL", "ONELOOK_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NOTEBOOK_PICTURES", FEW)
    fresh = deepcopy(kept)
    NotebookClient(fresh, timeout=HANG_S, resources={"metadata": {"path": str(FOLDER)}}).execute()
    assert shown(fresh) == shown(kept)
    assert any({"image/png", "text/html"} & set(types) for types in shown(fresh))


def test_what_is_kept_was_run_in_order_and_is_small_and_clean(kept: Any) -> None:
    assert [cell.execution_count for cell in kept.cells if cell.cell_type == "code"] == list(
        range(1, 1 + sum(cell.cell_type == "code" for cell in kept.cells))
    )
    assert [output for output in outputs(kept) if output.output_type in ("stream", "error")] == []
    text = json.dumps(kept)
    assert len(text) < MOST_KB * 1000
    assert str(FOLDER.parent) not in text
    assert "site-packages" not in text
    words = [cell.source for cell in kept.cells]
    words += [each for output in outputs(kept) for name, each in output.get("data", {}).items() if "image" not in name]
    assert [each for each in words if OWN_PLACE.search(str(each))] == []
