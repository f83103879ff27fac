"""Servers that answer without an error and not at full strength: `onelook doctor` has a line for each."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from onelook.engines.base import Finding
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from tests.engines.degraded_server import Degraded


async def examined(degraded: Degraded, **settings: object) -> dict[str, Finding]:
    """What `onelook doctor` finds, by name."""
    async with degraded.server() as server:
        chosen = load_settings(engine="vllm", base_url=server.base_url, **settings)
        async with Tagger(chosen) as tagger:
            return {finding.capability: finding for finding in await tagger.probe()}


@pytest.mark.parametrize("block", [1, 16, 128, 528])
@pytest.mark.parametrize("arm", ["fused", "reads", "legacy", "legacy_shared"])
async def test_a_healthy_server_raises_no_alarm(block: int, arm: str) -> None:
    found = await examined(Degraded(block=block), run={"arm": arm})
    assert {name: finding.detail for name, finding in found.items() if not finding.ok} == {}
    assert list(found)[7:-1] == [
        "thinking",
        "token counts",
        "probabilities",
        "probabilities after the mask",
        "context",
        "picture size",
        "prefix cache",
        "picture before text",
    ]


@pytest.mark.parametrize(
    ("degraded", "name", "came", "cost", "change"),
    [
        pytest.param(
            Degraded(block=None),
            "prefix cache",
            "none came from the cache",
            "are computed with each question",
            "--enable-prefix-caching",
            id="no prefix cache",
        ),
        pytest.param(
            Degraded(block=1056),
            "cache blocks",
            "none came from the cache, which keeps longer prompts",
            "nothing is reused",
            "--block-size",
            id="blocks longer than the prompts",
        ),
        pytest.param(
            Degraded(all_zero=True),
            "probabilities",
            "all 3 log-probabilities are 0.0",
            "no picture would need review",
            "--speculative-config",
            id="all log-probabilities 0.0",
        ),
        pytest.param(
            Degraded(raw=True),
            "probabilities after the mask",
            "1.3e-06 of the probability",
            "confidences are too low",
            "onelook calibrate",
            id="raw log-probabilities",
        ),
        pytest.param(
            Degraded(ignores=("choice",)),
            "regex and choice",
            "got 'Hello to you'",
            "not kept",
            "--arm fused --reply-format json",
            id="a constraint kept for JSON only",
        ),
        pytest.param(
            Degraded(ignores=("structured_outputs",)),
            "JSON schema",
            "got 'Hello to you'",
            "not kept",
            "ONELOOK_GUIDANCE=response_format",
            id="a constraint kept in the portable form only",
        ),
        pytest.param(
            Degraded(most_image_tokens=256),
            "picture size",
            "756 x 756 pixels: 256 image tokens, expected 729",
            "costs detail",
            "--long-edge 448",
            id="a resampled picture",
        ),
        pytest.param(
            Degraded(text_first=True),
            "picture before text",
            "shares 592 tokens of 1328",
            "each question about it encodes it again",
            "--chat-template-content-format openai",
            id="the picture after the text",
        ),
        pytest.param(
            Degraded(context=1024),
            "context",
            "maximum context length is 1024",
            "no picture of that size",
            "--max-model-len",
            id="a short context",
        ),
        pytest.param(
            Degraded(cuts_at=512),
            "long prompts",
            "the server read 512 tokens",
            "misses labels",
            "--ctx-size 8192",
            id="a prompt cut without an error",
        ),
        pytest.param(
            Degraded(counts=False),
            "token counts",
            "no `usage`",
            "what a picture costs",
            "update the server",
            id="no token counts",
        ),
    ],
)
async def test_each_fault_has_its_line(degraded: Degraded, name: str, came: str, cost: str, change: str) -> None:
    found = await examined(degraded)
    finding = found[name]
    assert not finding.ok
    assert came in finding.detail
    assert cost in finding.detail
    assert change in (finding.hint or "")


@pytest.mark.parametrize("block", [None, 16])
async def test_the_cache_is_asked_with_the_longest_question_where_nothing_longer_fits(block: int | None) -> None:
    finding = (await examined(Degraded(block=block, context=1200), run={"reply_format": "compact"}))["prefix cache"]
    assert finding.ok == (block is not None)
    assert "--enable-prefix-caching" in (finding.hint or "") or finding.ok


async def test_a_model_that_thinks_is_found_out_when_it_is_let() -> None:
    assert (await examined(Degraded(thinks=True)))["thinking"].ok
    thinking = (await examined(Degraded(thinks=True), thinking=True))["thinking"]
    assert not thinking.ok
    assert "'The user greets me.'" in thinking.detail
    assert "several times slower" in thinking.detail
    assert "ONELOOK_THINKING=false" in (thinking.hint or "")


async def test_a_server_without_constraints_is_fit_for_legacy_only() -> None:
    for arm, needed in (("fused", True), ("legacy", False)):
        schema = (await examined(Degraded(ignores=("structured_outputs", "response_format")), run={"arm": arm}))[
            "JSON schema"
        ]
        assert (schema.ok, schema.needed) == (False, needed)


async def test_the_command_prints_one_line_and_the_option_to_change() -> None:
    async with Degraded(block=None).server() as server:
        words = ["-m", "onelook", "doctor", "--engine", "vllm", "--base-url", server.base_url]
        doctor = await asyncio.create_subprocess_exec(
            sys.executable, *words, env={**os.environ, "COLUMNS": "400"}, stdout=asyncio.subprocess.PIPE
        )
        printed, _ = await doctor.communicate()
    lines = printed.decode().splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith("– ")]
    assert lines[at].startswith("– prefix cache: asked the same question of ")
    assert "--enable-prefix-caching" in lines[at + 1]
    assert doctor.returncode == 0
