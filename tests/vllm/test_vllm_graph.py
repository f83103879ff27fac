"""The whole way on a real vLLM server: every arm, the prefix cache, and replies that hold whatever the model says."""

from __future__ import annotations

import io
import json
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from transformers import AutoTokenizer

from onelook.result import TagResult
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from onelook.types import Context, ReplyFormat, Usage
from tools.vllm_cpu.server import SERVED_NAME

pytestmark = pytest.mark.vllm

BLOCK = 32  # tokens; the server of these tests reuses whole blocks of this size
PICTURES = 200


def picture(seed: int, side: int = 224) -> bytes:
    """Noise over a colour of its own: no two alike, and none in a cache."""
    dice = random.Random(seed)  # noqa: S311
    image = Image.effect_noise((side, side), 60).convert("RGB")
    held = io.BytesIO()
    Image.blend(image, Image.new("RGB", image.size, (dice.randrange(256), seed % 256, 90)), 0.5).save(held, "JPEG")
    return held.getvalue()


@asynccontextmanager
async def tagger_at(url: str, **settings: Any) -> AsyncIterator[Tagger]:
    async with Tagger(load_settings(engine="vllm", base_url=url, **settings)) as tagger:
        yield tagger


def usage(result: TagResult, node: str) -> Usage:
    (visit,) = (visit for visit in result.ledger.nodes if visit.name == node)
    (taken,) = (span.usage for span in visit.spans if span.name == "engine")
    assert taken is not None
    return taken


@pytest.mark.parametrize("reply_format", ["json", "compact"])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
async def test_fused_replies_are_all_valid_whatever_the_model_says(
    temperature: float, reply_format: ReplyFormat, vllm_url: str
) -> None:
    async with tagger_at(vllm_url, temperature=temperature, concurrency=16) as tagger:
        pictures = [picture(seed) for seed in range(PICTURES)]
        context = Context(reply_format=reply_format, confidence_threshold=0)
        results = [result async for _, result in tagger.tag_many(pictures, context)]
    assert [result.errors for result in results if result.errors] == []
    assert [result.status for result in results] == ["ok"] * PICTURES
    assert all(result.category and result.category.confidence is not None for result in results)
    if temperature:
        assert len({result.category.id for result in results if result.category}) > 3


@pytest.mark.parametrize("reply_format", ["json", "compact"])
async def test_the_second_call_of_legacy_shared_finds_the_picture_in_the_cache(
    reply_format: ReplyFormat, vllm_url: str, tiny_checkpoint: Path
) -> None:
    async with tagger_at(vllm_url, temperature=1.0) as tagger:
        context = Context(arm="legacy_shared", reply_format=reply_format, long_edge=448)
        described = None
        for seed in range(1000, 1020):  # some categories have no second call
            result = await tagger.tag(picture(seed, side=448), context)
            assert not result.errors
            if any(visit.name == "describe" for visit in result.ledger.nodes):
                described = result
                break
        system = tagger.services.prompts["zh"].system
    assert described is not None
    first, second = usage(described, "classify"), usage(described, "describe")
    assert first.image_tokens == second.image_tokens == (448 // 28) ** 2
    constant = len(
        AutoTokenizer.from_pretrained(tiny_checkpoint)(f"<|im_start|>system\n{system}<|im_end|>\n").input_ids
    )
    assert second.cached_tokens is not None
    assert second.cached_tokens >= second.image_tokens + constant // BLOCK * BLOCK


async def test_reads_take_one_token_a_label_and_find_the_picture_in_the_cache(vllm_url: str) -> None:
    async with tagger_at(vllm_url, batch="never") as tagger:  # of a batch, the cached tokens are not told
        for seed in range(5000, 5020):  # some categories have no second round
            result = await tagger.tag(picture(seed, side=448), Context(arm="reads", long_edge=448))
            assert not result.errors
            if result.details:
                break
    assert result.category is not None
    attributes = tagger.services.taxonomy.categories[result.category.id].details.values()
    questions = sum(1 if attribute.choose == "one" else len(attribute.options) for attribute in attributes)
    (read,) = (visit for visit in result.ledger.nodes if visit.name == "read")
    first, second = (span.usage for span in read.spans if span.name == "engine")
    assert first is not None
    assert second is not None
    assert (first.completion_tokens, second.completion_tokens) == (1, questions)
    assert second.image_tokens == questions * (448 // 28) ** 2
    assert second.cached_tokens is not None
    assert second.cached_tokens >= second.image_tokens


async def test_five_pictures_are_looked_at_together(vllm_url: str) -> None:
    async with tagger_at(vllm_url) as tagger:
        five = await tagger.tag([picture(seed) for seed in range(6000, 6005)], Context(long_edge=224))
        six = await tagger.tag([picture(seed) for seed in range(6000, 6006)])
    assert (five.errors, five.usage.image_tokens) == ((), 5 * (224 // 28) ** 2)
    assert [error.kind for error in six.errors] == ["ImageRefused"]


async def test_free_text_is_asked_for_at_most_once_more_and_then_fails_with_a_reason(vllm_url: str) -> None:
    async with tagger_at(vllm_url, temperature=1.0) as tagger:
        pictures = [picture(seed) for seed in range(2000, 2010)]
        results = [result async for _, result in tagger.tag_many(pictures, Context(arm="legacy"))]
    for result in results:
        nodes = [node.name for node in result.ledger.nodes]
        assert (nodes[0], nodes[-1]) == ("prepare", "parse" if result.errors else "review")
        assert max(nodes.count("classify"), nodes.count("describe")) <= 2
        assert [error.kind for error in result.errors] in ([], ["ReplyInvalid"], ["ReplyTruncated"])
        if result.errors:
            assert nodes[-2:] in (["classify", "parse"], ["describe", "parse"])
            assert nodes.count(nodes[-2]) == 2
    assert any(result.errors for result in results)  # random weights do not write JSON


@pytest.mark.parametrize("arm", ["fused", "legacy_shared", "reads"])
async def test_the_servers_own_times_fit_into_the_ledger(arm: str, vllm_url: str) -> None:
    async with tagger_at(vllm_url) as tagger:
        result = await tagger.tag(picture(3000), Context.model_validate({"arm": arm}))
    parts = result.ledger.parts()
    assert sum(parts.values()) == pytest.approx(result.ledger.wall_ms, rel=0.01, abs=1)
    assert any(name.endswith("engine.first_token") for name in parts), parts
    assert all(milliseconds >= -0.01 for milliseconds in parts.values()), parts


def test_the_terminal_talks_to_the_server_too(vllm_url: str, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(picture(4000))

    def onelook(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Path(sys.executable).parent / "onelook", *words, "--engine", "vllm", "--base-url", vllm_url],
            env=dict(os.environ),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    doctor = onelook("doctor")
    assert (doctor.returncode, "✗" in doctor.stdout) == (0, False)
    tagged = onelook("tag", "a.jpg", "--json")
    (result,) = json.loads(tagged.stdout)
    assert (tagged.returncode, result["model"], result["errors"]) == (0, SERVED_NAME, [])
