"""A program that uses the library, in a process of its own: what it traces is its own affair."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

PROGRAM = """
import asyncio, base64, pathlib, sys
from onelook.demo.checkpoint import with_demo_models
from onelook.settings.process import load_settings
from onelook.tagger import Tagger

async def main(path):
    data = pathlib.Path(path).read_bytes()
    async with Tagger(with_demo_models(load_settings())) as tagger:
        for picture in (path, data, "data:image/jpeg;base64," + base64.b64encode(data).decode()):
            print((await tagger.tag(picture)).model_dump_json())

asyncio.run(main(sys.argv[1]))
"""


async def tag(picture: Path, environment: Mapping[str, str]) -> str:
    """What came of the picture, given by its path, as bytes and as a data URL: a line of JSON each."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        str(picture),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, trouble = await process.communicate()
    assert process.returncode == 0, trouble.decode()
    return said.decode()
