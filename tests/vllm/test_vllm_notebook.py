"""The notebook that compares batches in this process with a server, on the real server."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.patience import HANG_S

NOTEBOOK = Path(__file__).parent.parent.parent / "notebooks" / "04_backends.ipynb"


@pytest.mark.vllm
def test_the_backends_are_measured_side_by_side(vllm_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ONELOOK_ENGINE", "ONELOOK_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ONELOOK_BASE_URL", vllm_url)
    monkeypatch.setenv("NOTEBOOK_PICTURES", "12")
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(notebook, timeout=HANG_S, resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    tables = [
        output["data"]["text/markdown"]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "text/markdown" in output.get("data", {})
    ]
    rates = next(table for table in tables if "pictures per s" in table)
    for at_once in (1, 4, 16):
        for order in ("mixed", "sorted"):
            assert f"| vLLM | {at_once} | {order} |" in rates
    assert "no server" not in json.dumps(tables)
