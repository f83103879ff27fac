"""The process that serves, as far as no request shows it."""

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


async def test_what_is_loaded_at_the_start_is_not_looked_through_for_garbage_again() -> None:
    counting = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", COUNT), stdout=asyncio.subprocess.PIPE, env={**os.environ, "ONELOOK_ENGINE": "vllm"}
    )
    said, _ = await counting.communicate()
    left_alone, looked_through = map(int, said.split())
    assert looked_through < left_alone / 10
