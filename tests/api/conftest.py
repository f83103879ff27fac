"""A server on the bundled checkpoint for the main path; servers over a simulated engine for everything else."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
import pytest
from PIL import Image

from tests.api.served import Client, served
from tests.engines.openai_simulation import SimulatedServer

Connect = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture
def picture() -> bytes:
    """A small JPEG that preparation does not change."""
    held = io.BytesIO()
    Image.new("RGB", (280, 224), "teal").save(held, "JPEG")
    return held.getvalue()


@pytest.fixture(scope="session")
def demo_address() -> Iterator[str]:
    """A server with the bundled model, as `onelook serve` starts it."""
    with served(engine="embedded") as address:
        yield address


@pytest.fixture
async def demo(demo_address: str) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(session, demo_address)


@pytest.fixture
def connect() -> Connect:
    """`async with connect(simulated_server, http={…}) as client`: a server whose engine is that simulation."""

    @asynccontextmanager
    async def connect(server: SimulatedServer, **settings: Any) -> AsyncIterator[Client]:
        with served(engine="vllm", base_url=server.base_url, **settings) as address:
            async with aiohttp.ClientSession() as session:
                yield Client(session, address)

    return connect
