"""Properties of the server process that no request shows."""

from __future__ import annotations

import asyncio
import os
import sys

COUNT = """
import gc
from onelook.api.state import open_server
open_server()
print(gc.get_freeze_count(), len(gc.get_objects()))
"""


async def test_objects_from_the_start_are_frozen_for_the_garbage_collector() -> None:
    counting = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", COUNT), stdout=asyncio.subprocess.PIPE, env={**os.environ, "ONELOOK_ENGINE": "vllm"}
    )
    said, _ = await counting.communicate()
    left_alone, looked_through = map(int, said.split())
    assert looked_through < left_alone / 10
