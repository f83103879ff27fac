"""Pictures that take seconds to decode: they do not block the door, and are given up when their clients hang up."""

from __future__ import annotations

import asyncio
from base64 import b64encode, encodebytes, urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from onelook.engines.scripted import ScriptedEngine
from tests.api.served import Client, form, served
from tests.graph.replies import PORTRAIT, sure
from tests.images.image_samples import jpeg_of_scans


@asynccontextmanager
async def connected(**settings: Any) -> AsyncIterator[Client]:
    with served(scripted=ScriptedEngine(lambda _: sure(PORTRAIT)), **settings) as address:
        async with aiohttp.ClientSession() as session:
            yield Client(session, address)


async def test_six_of_the_slowest_jpegs_do_not_block_the_door(picture: bytes) -> None:
    worst = jpeg_of_scans(100, (4000, 2500))
    async with connected() as client:
        slow = [asyncio.create_task(client.post("/v1/tags", data=form(worst))) for _ in range(6)]
        while not await client.metric("onelook_in_flight") and not any(each.done() for each in slow):
            pass
        assert (await client.post("/v1/tags", data=form(picture))).status == 200
        assert not all(each.done() for each in slow)  # in turn they would have been first
        for each in slow:
            each.cancel()  # the client hangs up
        await asyncio.gather(*slow, return_exceptions=True)
        while await client.metric("onelook_in_flight") + await client.metric("onelook_http_requests_inside"):
            pass
        assert (await client.post("/v1/tags", data=form(picture))).status == 200


async def test_the_time_limit_is_said_with_the_name_of_the_picture(picture: bytes) -> None:
    async with connected(prepare_timeout_s=1e-6) as client:
        answer = await client.post("/v1/tags", data=form(picture))
    problem = answer.json
    assert "picture-0.jpg: decoding it takes longer than" in problem["detail"]
    assert "ONELOOK_PREPARE_TIMEOUT_S" in problem["hint"]


async def test_an_error_names_which_of_several_pictures_it_is(picture: bytes) -> None:
    async with connected() as client:
        uploaded = (await client.post("/v1/tags", data=form(picture, picture[:200]))).json
        both = [b64encode(picture).decode(), b64encode(picture[:200]).decode()]
        sent = (await client.post("/v1/tags", json={"images": both})).json
        broken = (await client.post("/v1/tags", json={"images": [both[0], "A"]})).json
    assert uploaded["detail"].startswith("picture-1.jpg: ")
    assert sent["detail"].startswith("images.1 (base64): ")
    assert broken["detail"].startswith("images.1 (base64): broken base64")


@pytest.mark.parametrize("encode", [encodebytes, urlsafe_b64encode, lambda data: b64encode(data).rstrip(b"=")])
async def test_base64_is_read_in_each_of_its_forms(picture: bytes, encode: Callable[[bytes], bytes]) -> None:
    async with connected() as client:
        answer = await client.post("/v1/tags", json={"image": encode(picture + b"\xfb\xff").decode()})
    assert answer.status == 200, answer.body
