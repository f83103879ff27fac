"""Decoding ends after its time limit, or when its run is cancelled; waiting for room takes no thread."""

from __future__ import annotations

import asyncio
import random
import threading
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from onelook.engines.scripted import ScriptedEngine
from onelook.errors import ImageError
from onelook.images.decode_limit import CheckedFile, Takes, check_limit, decode_in_thread
from onelook.images.decode_memory import DecodeBudget
from onelook.images.original import Original
from onelook.images.scans import count_scans
from onelook.settings.process import load_settings
from onelook.settings.resolution import at_most
from onelook.tagger import Tagger
from tests.graph.replies import PORTRAIT, sure
from tests.images.image_samples import LIMITS, jpeg_of_scans


def test_a_jpeg_is_the_same_when_it_is_read_scan_by_scan() -> None:
    held = BytesIO()
    Image.effect_noise((300, 200), 40).convert("RGB").save(held, "JPEG", progressive=True)
    with Image.open(BytesIO(held.getvalue())) as whole, Image.open(CheckedFile(held.getvalue())) as by_scan:
        assert whole.tobytes() == by_scan.tobytes()


async def test_a_picture_that_takes_too_long_is_its_own_error() -> None:
    settings = load_settings(prepare_timeout_s=1e-6)
    async with Tagger(settings, ScriptedEngine(lambda _: sure(PORTRAIT))) as tagger:
        result = await tagger.tag(jpeg_of_scans(20, (640, 480)), name="slow.jpg")
    assert result.status == "failed"
    (error,) = result.errors
    assert (error.node, error.kind) == ("prepare", "ImageTooLarge")
    assert "decoding it takes longer than 1e-06 s" in error.message
    assert error.hint is not None
    assert "ONELOOK_PREPARE_TIMEOUT_S" in error.hint


async def test_a_cancelled_run_gives_its_decoding_up_between_two_scans() -> None:
    data = jpeg_of_scans(100, (3000, 2000))
    assert count_scans(data) == 100
    original = Original(data, name="slow.jpg", max_pixels=10**8, up_to=[at_most(448)], grid=28)
    begun, ended = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    outcome: list[object] = []

    def work() -> None:
        begun.set()
        try:
            outcome.append(original.picture(at_most(448)))
        except ImageError as error:
            outcome.append(error)
            raise
        finally:
            loop.call_soon_threadsafe(ended.set)

    limits = replace(LIMITS, decode_budget=DecodeBudget(10), scan_budget=DecodeBudget(10))
    running = asyncio.create_task(decode_in_thread(work, name="slow.jpg", limits=limits, takes=lambda: Takes(10, 10)))
    await asyncio.to_thread(begun.wait)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await ended.wait()
    assert str(outcome[0]) == "slow.jpg: given up, because its run was cancelled"
    await limits.decode_budget.acquire(10)  # its room is free again
    await limits.scan_budget.acquire(10)


async def test_pictures_that_wait_for_room_take_no_thread_and_small_ones_pass() -> None:
    budget = DecodeBudget(100)
    limits = replace(LIMITS, decode_budget=budget)
    await budget.acquire(90)
    large = [
        asyncio.create_task(decode_in_thread(lambda: "large", name="a", limits=limits, takes=lambda: Takes(90)))
        for _ in range(100)
    ]
    assert await decode_in_thread(lambda: "small", name="b", limits=limits, takes=lambda: Takes(10)) == "small"
    assert not any(each.done() for each in large)
    for each in large[1:]:
        each.cancel()
    budget.release(90)
    assert await large[0] == "large"


async def test_a_small_picture_is_decoded_while_large_ones_have_all_the_room() -> None:
    budget = DecodeBudget(1000)
    await budget.acquire(1000)
    await budget.acquire(9)
    assert await decode_in_thread(
        lambda: "small", name="a", limits=replace(LIMITS, decode_budget=budget), takes=lambda: Takes(9)
    )


async def test_a_run_that_is_cancelled_while_it_waits_keeps_no_room() -> None:
    budget = DecodeBudget(100)
    limits = replace(LIMITS, decode_budget=budget, scan_budget=DecodeBudget(1))
    await budget.acquire(100)
    waiting = asyncio.create_task(decode_in_thread(check_limit, name="a", limits=limits, takes=lambda: Takes(50, 1)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    budget.release(100)
    await limits.scan_budget.acquire(1)
    await budget.acquire(100)


def test_the_memory_of_a_progressive_jpeg_counts_its_coefficients() -> None:
    held = BytesIO()
    Image.new("RGB", (8000, 6000), "teal").save(held, "JPEG", progressive=True, subsampling="4:2:0")
    original = Original(held.getvalue(), name="a.jpg", max_pixels=10**8, up_to=[at_most(768)], grid=28)
    assert original.decode_bytes == 4 * 1000 * 750 + 3 * 8000 * 6000


def test_a_png_whose_data_holds_the_marker_of_a_scan_is_read() -> None:
    """Its decoder counts on getting as many bytes as it asks for."""
    held = BytesIO()
    noise = Image.frombytes("L", (800, 600), random.Random(3).randbytes(800 * 600))  # noqa: S311
    noise.save(held, "PNG")
    assert held.getvalue().count(b"\xff\xda") > 3
    original = Original(held.getvalue(), name="noise.png", max_pixels=10**6, up_to=[at_most(768)], grid=28)
    assert original.picture(at_most(768)).width == 756
