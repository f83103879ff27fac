"""Our engine and a real vLLM server: what the simulations of `tests/engines` take for granted."""

from __future__ import annotations

import asyncio
import json
import math
import re
from base64 import b64encode
from io import BytesIO

import aiohttp
import pytest
from langchain_core.messages import HumanMessage, SystemMessage
from PIL import Image

from onelook.engines.base import AskRequest, Choice, Constraint, JsonSchema, Regex
from onelook.errors import EngineIncapable, EngineRefused
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from tests.engines.openai_simulation import engine_at
from tools.vllm_cpu.server import SERVED_NAME

pytestmark = pytest.mark.vllm

SYSTEM = "看图，按要求回答。" * 12
BLOCK = 32  # tokens; only whole blocks of a prefix are reused
LABELS = ("人像", "动物", "风景", "食物", "建筑")
SCHEMA = JsonSchema(
    {
        "type": "object",
        "properties": {"category": {"enum": list(LABELS)}},
        "required": ["category"],
        "additionalProperties": False,
    },
    regex=r'\{"category":"(人像|动物|风景|食物|建筑)"\}',
)
WORDS = "(" + "|".join(LABELS) + ")"


def picture(colour: str | tuple[int, int, int], side: int = 224) -> dict[str, object]:
    file = BytesIO()
    Image.new("RGB", (side, side), colour).save(file, "PNG")
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"}}


def question(
    constraint: Constraint | None,
    *pictures: dict[str, object],
    text: str = "这是什么？",
    max_tokens: int = 64,
    temperature: float = 0.0,
    top_logprobs: int = 0,
) -> AskRequest:
    content: list[str | dict[str, object]] = [*(pictures or (picture("teal"),)), {"type": "text", "text": text}]
    return AskRequest([SystemMessage(SYSTEM), HumanMessage(content)], constraint, max_tokens, temperature, top_logprobs)


async def test_the_probe_finds_everything(vllm_url: str) -> None:
    async with engine_at(vllm_url) as engine:
        findings = await engine.probe()
        assert engine.model == SERVED_NAME
    assert [finding.capability for finding in findings if not finding.ok] == []
    assert len(findings) == 8


async def test_a_reply_goes_on_from_a_beginning_that_is_sent(vllm_url: str, caplog: pytest.LogCaptureFixture) -> None:
    async with engine_at(vllm_url) as plain, engine_at(vllm_url, prefill=True) as engine:
        decoded = await plain.ask(question(SCHEMA))
        begun = await engine.ask(question(SCHEMA))
    assert json.loads(begun.text)["category"] in LABELS
    assert b"".join(token.data for token in begun.tokens).decode() == begun.text
    assert (begun.usage.completion_tokens or 0) < (decoded.usage.completion_tokens or 0)
    assert caplog.records == [], "the server went on from it"


async def test_a_choice_is_kept(vllm_url: str) -> None:
    async with engine_at(vllm_url) as engine:
        reply = await engine.ask(question(Choice(LABELS)))
    assert reply.text in LABELS
    assert reply.stop_reason == "stop"


async def test_a_regex_is_kept_however_the_dice_fall_and_every_token_is_accounted_for(vllm_url: str) -> None:
    pattern = f"{WORDS}(，{WORDS}){{0,4}}"
    async with engine_at(vllm_url) as engine:
        asked = [question(Regex(pattern), picture((shade, 80, 160)), temperature=1.0) for shade in range(0, 250, 5)]
        replies = await asyncio.gather(*map(engine.ask, asked))
    assert len({reply.text for reply in replies}) > 25
    for reply in replies:
        assert re.fullmatch(pattern, reply.text)
        assert b"".join(token.data for token in reply.tokens).decode() == reply.text
        assert all(token.logprob <= 0 for token in reply.tokens)


async def test_a_json_schema_is_kept_without_a_blank(vllm_url: str) -> None:
    async with engine_at(vllm_url) as engine:
        reply = await engine.ask(question(SCHEMA, temperature=1.0))
    assert re.fullmatch(SCHEMA.regex, reply.text)


async def test_the_portable_json_schema_is_kept_but_for_blanks(vllm_url: str) -> None:
    """Whitespace is legal JSON, and random weights can fill the whole reply with it: then it is cut off."""
    async with engine_at(vllm_url, guidance="response_format") as engine:
        asked = [question(SCHEMA, picture((shade, 9, 99)), temperature=1.0, max_tokens=200) for shade in range(16)]
        replies = await asyncio.gather(*map(engine.ask, asked))
    whole = [reply for reply in replies if reply.stop_reason == "stop"]
    assert whole
    for reply in whole:
        assert json.loads(reply.text)["category"] in LABELS


async def test_logprobs_are_those_after_the_mask(vllm_url: str) -> None:
    async with engine_at(vllm_url) as engine:
        reply = await engine.ask(question(Choice(("A", "B", "C")), max_tokens=1, top_logprobs=5))
    (token,) = reply.tokens
    assert token.data.decode() == reply.text
    assert set(token.alternatives) == {b"A", b"B", b"C"}
    assert sum(map(math.exp, token.alternatives.values())) == pytest.approx(1, abs=1e-3)
    assert token.alternatives[token.data] == pytest.approx(token.logprob)


async def test_a_second_question_finds_system_prompt_and_picture_in_the_prefix_cache(vllm_url: str) -> None:
    """The first question gives the whole prompt's length; what the second shares with it is all but its own text."""
    looked_at = picture("crimson", side=448)
    async with engine_at(vllm_url) as engine:
        first = await engine.ask(question(Choice(LABELS), looked_at, text="这是什么？"))
        second = await engine.ask(question(Choice(LABELS), looked_at, text="画面里有几个人？"))
        other = await engine.ask(question(Choice(LABELS), picture("navy", side=448), text="这是什么？"))
    assert first.usage.image_tokens == second.usage.image_tokens == (448 // 28) ** 2
    assert first.usage.cached_tokens is not None
    assert second.usage.cached_tokens is not None
    assert other.usage.cached_tokens is not None
    assert second.usage.prompt_tokens is not None
    prefix = other.usage.cached_tokens  # another picture shares only the constant system prompt, in whole blocks
    assert prefix >= BLOCK
    assert second.usage.cached_tokens >= prefix + first.usage.image_tokens
    assert second.usage.cached_tokens % BLOCK == 0


async def test_the_server_tells_its_own_time(vllm_url: str) -> None:
    async with engine_at(vllm_url) as engine:
        timing = (await engine.ask(question(Regex("[ab]{20}")))).timing
    assert timing.queue_ms is not None
    assert timing.first_token_ms is not None
    assert timing.decode_ms is not None
    assert timing.queue_ms >= 0
    assert timing.first_token_ms > 0
    assert timing.decode_ms > 0


async def test_a_reply_that_is_cut_off_says_so(vllm_url: str) -> None:
    async with engine_at(vllm_url) as engine:
        reply = await engine.ask(question(Regex("[ab]{60}"), max_tokens=4))
    assert reply.stop_reason == "length"
    assert reply.usage.completion_tokens == 4
    assert re.fullmatch("[ab]+", reply.text)


async def test_a_model_that_the_server_lacks(vllm_url: str) -> None:
    async with engine_at(vllm_url, model="gpt-42") as engine:
        with pytest.raises(EngineIncapable, match=f"no model 'gpt-42'; it has: {SERVED_NAME}"):
            await engine.ask(question(None))


@pytest.mark.parametrize(
    "request_",
    [question(None, text="长" * 5000), question(None, *[picture("teal", 56)] * 6), question(Regex("("))],
    ids=["too long", "six pictures", "a broken regex"],
)
async def test_what_the_server_refuses_is_not_worth_a_retry(vllm_url: str, request_: AskRequest) -> None:
    async with engine_at(vllm_url) as engine:
        with pytest.raises(EngineRefused) as refusal:
            await engine.ask(request_)
    assert not refusal.value.retryable
    assert "base64" not in refusal.value.message


async def metric(vllm_url: str, name: str) -> float:
    async with aiohttp.ClientSession() as session, session.get(vllm_url.removesuffix("/v1") + "/metrics") as response:
        lines = (await response.text()).splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(f"vllm:{name}{{"))


async def until_running(vllm_url: str, requests: int) -> None:
    async with asyncio.timeout(120):
        while await metric(vllm_url, "num_requests_running") != requests:  # noqa: ASYNC110  the server is another process
            await asyncio.sleep(0.05)


async def test_a_cancelled_question_is_aborted_on_the_server(vllm_url: str) -> None:
    tokens = 3000
    before = await metric(vllm_url, "generation_tokens_total")
    async with engine_at(vllm_url) as engine:
        asking = asyncio.create_task(engine.ask(question(Regex(f"[ab]{{{tokens}}}"), max_tokens=tokens)))
        running = asyncio.create_task(until_running(vllm_url, 1))
        await asyncio.wait([asking, running], return_when=asyncio.FIRST_COMPLETED)
        assert not asking.done(), await asking  # its own error says more than waiting for what has ended
        await running
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await until_running(vllm_url, 0)
    assert await metric(vllm_url, "generation_tokens_total") < before + tokens


async def test_doctor_finds_a_healthy_server_at_full_strength(vllm_url: str) -> None:
    async with Tagger(load_settings(engine="vllm", base_url=vllm_url)) as tagger:
        findings = await tagger.probe()
    assert {finding.capability: finding.detail for finding in findings if not finding.ok} == {}
    assert {"thinking", "probabilities", "probabilities after the mask", "context", "picture size", "prefix cache"} <= {
        finding.capability for finding in findings
    }


async def test_a_template_without_the_switch_for_thinking_ignores_it(vllm_url: str) -> None:
    async with engine_at(vllm_url) as off, engine_at(vllm_url, thinking=True) as on:
        replies = [await engine.ask(question(Choice(LABELS))) for engine in (off, on)]
    assert replies[0].text == replies[1].text
    assert replies[0].usage.prompt_tokens == replies[1].usage.prompt_tokens
