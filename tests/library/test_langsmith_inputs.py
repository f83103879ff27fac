"""Pictures in memory stay out of LangSmith as those in files do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.observability.receiver import holds, receiving

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import io
import numpy as np
from PIL import Image
import onelook
from onelook.engines.scripted import ScriptedEngine
from tests.graph.replies import PORTRAIT, sure

array = np.random.default_rng(5).integers(100, 256, (60, 90, 3), dtype=np.uint8)
image = Image.fromarray(array)
buffer = io.BytesIO()
image.save(buffer, "PNG")
with onelook.Tagger(onelook.load_settings(), ScriptedEngine(lambda _: sure(PORTRAIT))) as tagger:
    for picture in (array, image, buffer, bytearray(buffer.getvalue()), memoryview(buffer.getvalue())):
        print(tagger.tag_sync([picture]).status)
open("png", "wb").write(buffer.getvalue())
open("raw", "wb").write(array.tobytes())
"""


def test_langsmith_is_sent_names_only(tmp_path: Path) -> None:
    with receiving() as received:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "LANGSMITH_TRACING": "true",
            "LANGSMITH_API_KEY": "lsv2_test",
            "LANGSMITH_ENDPOINT": received.url,
        }
        command = [sys.executable, "-c", PROGRAM]
        finished = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert finished.stdout.split() == ["ok"] * 5, finished.stderr
    raw = (tmp_path / "raw").read_bytes()
    assert "image array 60×90×3".encode() in received.everything
    assert "PIL image 90×60 RGB".encode() in received.everything
    assert not holds(received.everything, (tmp_path / "png").read_bytes())
    assert not holds(received.everything, raw)
    for separator in (",", ", "):
        assert separator.join(map(str, raw[:3])).encode() not in received.everything
